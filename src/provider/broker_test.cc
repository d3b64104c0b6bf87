#include "provider/broker.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace cohort::provider {
namespace {

using cim::Value;

class FakeClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return {}; }
  [[nodiscard]] SteadyTime steady() const override { return now; }
  SteadyTime now;
};

cim::ObjectPath path_to(const std::string& class_name, const std::string& key, const std::string& value) {
  cim::ObjectPath path;
  path.namespace_name = "root/virtualization/v2";
  path.class_name = class_name;
  path.keys = {{key, Value(value)}};
  return path;
}

cim::ObjectPath machine(const std::string& name) {
  auto path = path_to("Msvm_ComputerSystem", "Name", name);
  path.keys.push_back({"CreationClassName", Value("Msvm_ComputerSystem")});
  return path;
}

class Collections final : public ClassProvider {
 public:
  [[nodiscard]] std::string_view class_name() const override { return "Msvm_VirtualSystemCollection"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override {
    if (fails || answers == 0) return fail(ErrorCode::kIo, "The state cannot be read.");
    --answers;
    std::vector<cim::Instance> all;
    for (const std::string& id : ids) {
      cim::Instance one;
      one.class_name = class_name();
      one.set("CollectionID", Value(id));
      one.set("ElementName", Value(name + id));
      all.push_back(std::move(one));
    }
    return all;
  }
  [[nodiscard]] bool finds_one() const override { return is_found_one_by_one; }
  bool fails = false;
  int answers = -1;  // before it fails; less than 0: all
  bool is_found_one_by_one = false;
  std::vector<std::string> ids = {"A", "B", "C"};
  std::string name = "name of ";
};

class Machines final : public ClassProvider {
 public:
  [[nodiscard]] std::string_view class_name() const override { return "Msvm_ComputerSystem"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override {
    cim::Instance one;
    one.class_name = class_name();
    one.set("CreationClassName", Value("Msvm_ComputerSystem"));
    one.set("Name", Value("m"));
    one.set("EnabledState", Value(std::uint32_t{2}));  // wider than it is declared
    one.set("Dedicated", Value::array_of(std::vector<std::uint16_t>{}));
    return std::vector{one};
  }
  [[nodiscard]] Right right_for(std::string_view /*method*/) const override { return Right::kOperate; }
  [[nodiscard]] Result<cim::MethodResult> invoke(const MethodCall& call) override {
    asked = call.parameter("RequestedState");
    return cim::MethodResult{Value(std::uint32_t{4096}),
                             {{"Job", Value(path_to("Msvm_ConcreteJob", "InstanceID", "J"))}}};
  }
  [[nodiscard]] Result<void> modify(const cim::Instance& changed, const Caller& /*caller*/) override {
    modified = changed;
    return {};
  }
  Value asked;
  cim::Instance modified;
};

class Members final : public AssociationProvider {
 public:
  [[nodiscard]] std::string_view class_name() const override { return "Msvm_CollectedVirtualSystems"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override {
    std::vector<cim::Instance> all;
    for (const std::string id : {"A", "B"}) {
      cim::Instance pair;
      pair.class_name = class_name();
      pair.set("Collection", Value(path_to("Msvm_VirtualSystemCollection", "CollectionID", id)));
      pair.set("Member", Value(machine("m")));
      all.push_back(std::move(pair));
    }
    return all;
  }
};

class BrokerTest : public testing::Test {
 protected:
  BrokerTest() {
    auto its_collections = std::make_unique<Collections>();
    auto its_machines = std::make_unique<Machines>();
    collections = its_collections.get();
    machines = its_machines.get();
    broker.add("root/virtualization/v2", std::move(its_collections));
    broker.add("root/virtualization/v2", std::move(its_machines));
    broker.add("root/virtualization/v2", std::make_unique<Members>());
  }

  cim::Response ask(cim::Operation operation) {
    return broker.handle({"root/virtualization/v2", std::move(operation)}, caller);
  }
  std::vector<cim::Instance> list(cim::Selection what, cim::PropertyList wanted = {},
                                  cim::Shape shape = cim::Shape::kInstancesWithPaths) {
    const auto response = ask(cim::ListObjects{std::move(what), shape, std::move(wanted)});
    const auto* objects = std::get_if<cim::Objects>(&response);
    EXPECT_NE(objects, nullptr) << "status " << (objects == nullptr ? int(status_in(response)) : 0);
    return objects == nullptr ? std::vector<cim::Instance>() : objects->instances;
  }
  static cim::Status status_in(const cim::Response& response) {
    const auto* failed = std::get_if<cim::OperationFailed>(&response);
    return failed == nullptr ? cim::Status{} : failed->status;
  }
  cim::Status status_of(cim::Operation operation) { return status_in(ask(std::move(operation))); }
  cim::Objects open(cim::Selection what, cim::PropertyList wanted = {}) {
    return std::get<cim::Objects>(
        ask(cim::OpenEnumeration{std::move(what), cim::Shape::kInstancesWithPaths, std::move(wanted)}));
  }
  cim::Objects pull(const cim::Objects& from, std::uint32_t max_objects, const Room& room = {}) {
    return std::get<cim::Objects>(
        broker.handle({"root/virtualization/v2", cim::PullObjects{from.context, max_objects}}, caller, room));
  }
  cim::Objects open(std::uint32_t max_objects) {
    return std::get<cim::Objects>(ask(cim::OpenEnumeration{cim::InstancesOf{"Msvm_VirtualSystemCollection"},
                                                           cim::Shape::kPaths,
                                                           {},
                                                           "",
                                                           "",
                                                           max_objects,
                                                           std::chrono::seconds(60)}));
  }

  cim::Schema schema = *cim::Schema::built_in();
  FakeClock clock;
  Broker broker{schema, "host.example", clock, {.contexts = 4, .contexts_of_one_caller = 3}};
  Caller caller{"ada", Right::kAdminister};
  Collections* collections = nullptr;
  Machines* machines = nullptr;
};

TEST_F(BrokerTest, GivesInstancesDefaultsDeclaredTypesAndPaths) {
  const auto all = list(cim::InstancesOf{"Msvm_ComputerSystem"});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].at("EnabledState"), Value(std::uint16_t{2}));
  EXPECT_NE(all[0].find("Description"), nullptr) << "every property of the class is there";
  EXPECT_TRUE(cim::same_instance(all[0].path, machine("m")));
  EXPECT_EQ(all[0].path.host, "host.example");
}

TEST_F(BrokerTest, ListsDerivedClassesWithTheirProperties) {
  const auto deep = list(cim::InstancesOf{"CIM_ManagedElement", true});
  ASSERT_EQ(deep.size(), 4U);
  EXPECT_NE(deep.back().find("CollectionID"), nullptr);
  const auto shallow = list(cim::InstancesOf{"CIM_ManagedElement", false});
  ASSERT_EQ(shallow.size(), 4U);
  EXPECT_EQ(shallow.back().find("CollectionID"), nullptr);
  EXPECT_TRUE(list(cim::InstancesOf{"CIM_ManagedElement", true, true}).empty());
}

TEST_F(BrokerTest, KeepsThePropertiesThatAreWanted) {
  const auto all = list(cim::InstancesOf{"Msvm_VirtualSystemCollection"}, {{"ElementName"}});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].properties.size(), 1U);
  EXPECT_EQ(all[1].at("ElementName"), Value("name of B"));
}

TEST_F(BrokerTest, SaysWhichClassNamespaceOrInstanceIsNotThere) {
  EXPECT_EQ(status_of(cim::ListObjects{cim::InstancesOf{"No_Class"}}), cim::Status::kInvalidClass);
  EXPECT_EQ(status_of(cim::GetInstance{machine("gone")}), cim::Status::kNotFound);
  EXPECT_EQ(status_of(cim::GetInstance{path_to("No_Class", "Name", "m")}), cim::Status::kInvalidClass);
  EXPECT_EQ(status_in(broker.handle({"root/virtualization", cim::GetInstance{machine("m")}}, caller)),
            cim::Status::kInvalidNamespace);
}

TEST_F(BrokerTest, FindsAnInstanceByOneOfItsKeysAndByASuperclass) {
  EXPECT_EQ(status_of(cim::GetInstance{path_to("Msvm_ComputerSystem", "Name", "m")}), cim::Status{});
  EXPECT_EQ(status_of(cim::GetInstance{path_to("CIM_ComputerSystem", "Name", "m")}), cim::Status{});
  EXPECT_EQ(status_of(cim::GetInstance{path_to("Msvm_VirtualSystemCollection", "CollectionID", "A")}), cim::Status{});
}

TEST_F(BrokerTest, WalksAssociationsBothWays) {
  const auto members = list(cim::AssociatorsOf{path_to("Msvm_VirtualSystemCollection", "CollectionID", "A")});
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].class_name, "Msvm_ComputerSystem");
  EXPECT_EQ(list(cim::AssociatorsOf{machine("m")}).size(), 2U);
  EXPECT_EQ(list(cim::AssociatorsOf{machine("m"), "CIM_MemberOfCollection", "CIM_Collection", "Member", "Collection"},
                 {}, cim::Shape::kPaths)
                .size(),
            2U);
  EXPECT_TRUE(list(cim::AssociatorsOf{machine("m"), "", "", "Collection"}).empty());
  EXPECT_TRUE(list(cim::AssociatorsOf{machine("m"), "", "Msvm_ComputerSystem"}).empty());
  EXPECT_EQ(list(cim::ReferencesOf{machine("m")}).size(), 2U);
  EXPECT_TRUE(list(cim::ReferencesOf{machine("m"), "", "Collection"}).empty());
  EXPECT_EQ(status_of(cim::ListObjects{cim::AssociatorsOf{machine("gone")}}), cim::Status::kNotFound);
}

TEST_F(BrokerTest, AnswersQueries) {
  const auto query = [this](const std::string& text) { return list(cim::QueryFor{"WQL", text}); };
  EXPECT_EQ(query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName LIKE '% B'").size(), 1U);
  EXPECT_EQ(query("SELECT * FROM Msvm_VirtualSystemCollection WHERE CollectionID = 'B'").size(), 1U);
  EXPECT_TRUE(
      query("SELECT * FROM Msvm_VirtualSystemCollection WHERE CollectionID = 'B' AND ElementName = 'x'").empty());
  EXPECT_EQ(query("SELECT * FROM Msvm_VirtualSystemCollection WHERE CollectionID = 'B' OR CollectionID = 'C'").size(),
            2U);
  EXPECT_EQ(query("SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER").size(), 1U);
  EXPECT_EQ(query("ASSOCIATORS OF {Msvm_VirtualSystemCollection.CollectionID='A'} WHERE ResultClass = "
                  "Msvm_ComputerSystem")
                .size(),
            1U);
  EXPECT_EQ(query("REFERENCES OF {Msvm_VirtualSystemCollection.CollectionID='A'}").size(), 1U);
  EXPECT_EQ(status_of(cim::ListObjects{cim::QueryFor{"WQL", "SELECT FROM"}}), cim::Status::kInvalidQuery);
  EXPECT_EQ(status_of(cim::ListObjects{cim::QueryFor{"SQL", "SELECT 1"}}), cim::Status::kQueryLanguageNotSupported);
}

TEST_F(BrokerTest, GivesTheKeysAloneWhereAQueryWantsNoMore) {
  const auto query = [this](const std::string& text) { return list(cim::QueryFor{"WQL", text}); };
  const auto members = query("ASSOCIATORS OF {Msvm_VirtualSystemCollection.CollectionID='A'} WHERE KeysOnly");
  ASSERT_EQ(members.size(), 1U);
  EXPECT_EQ(members[0].at("Name"), Value("m"));
  EXPECT_EQ(members[0].at("CreationClassName"), Value("Msvm_ComputerSystem"));
  EXPECT_EQ(members[0].properties.size(), 2U);
  const auto pairs = query("REFERENCES OF {Msvm_ComputerSystem.Name='m'} WHERE Role = Member KeysOnly");
  ASSERT_EQ(pairs.size(), 2U);
  ASSERT_NE(pairs[0].at("Member").reference(), nullptr);
  EXPECT_TRUE(cim::same_instance(*pairs[0].at("Member").reference(), machine("m")));
  EXPECT_EQ(pairs[0].properties.size(), 2U);
}

TEST_F(BrokerTest, EvaluatesEveryClauseOfAQueryForAssociations) {
  const auto found = [this](const std::string& clauses) {
    const std::string machine_of = "ASSOCIATORS OF {Msvm_VirtualSystemCollection.CollectionID='A'} WHERE ";
    return list(cim::QueryFor{"WQL", machine_of + clauses}).size();
  };
  EXPECT_EQ(found("ResultRole = Member"), 1U);
  EXPECT_EQ(found("ResultRole = Collection"), 0U);
  EXPECT_EQ(found("Role = Collection ResultRole = Member AssocClass = CIM_CollectedMSEs"), 1U);
  EXPECT_EQ(found("RequiredQualifier = Description"), 1U);
  EXPECT_EQ(found("RequiredQualifier = Association"), 0U);
  EXPECT_EQ(found("RequiredAssocQualifier = aggregation"), 1U);
  EXPECT_EQ(found("RequiredAssocQualifier = Abstract"), 0U);
  const auto references = [this](const std::string& qualifier) {
    return list(cim::QueryFor{"WQL",
                              "REFERENCES OF {Msvm_ComputerSystem.Name='m'} WHERE RequiredQualifier = " + qualifier})
        .size();
  };
  EXPECT_EQ(references("Association"), 2U);
  EXPECT_EQ(references("Indication"), 0U);
}

TEST_F(BrokerTest, RefusesQueriesForClasses) {
  const std::string of_collection = "ASSOCIATORS OF {Msvm_VirtualSystemCollection.CollectionID='A'} WHERE ";
  const std::pair<std::string, std::string> queries[] = {
      {"ClassDefsOnly", of_collection + "ClassDefsOnly"},
      {"SchemaOnly", of_collection + "SchemaOnly"},
      {"meta_class", "SELECT * FROM meta_class WHERE __THIS ISA 'CIM_Collection'"}};
  for (const auto& [what, query] : queries) {
    const auto response = ask(cim::ListObjects{cim::QueryFor{"WQL", query}});
    ASSERT_EQ(status_in(response), cim::Status::kInvalidQuery) << what;
    EXPECT_TRUE(std::get<cim::OperationFailed>(response).description.starts_with(what + " is not supported"));
  }
}

TEST_F(BrokerTest, RefusesFiltersOfEnumerations) {
  cim::OpenEnumeration open{cim::InstancesOf{"Msvm_VirtualSystemCollection"}};
  open.filter_language = "DMTF:FQL";
  open.filter = "ElementName = 'x'";
  EXPECT_EQ(status_of(open), cim::Status::kFilteredEnumerationNotSupported);
  open.filter.clear();
  EXPECT_EQ(status_of(open), cim::Status{});
}

TEST_F(BrokerTest, NeverAnswersWithHalfAList) {
  collections->fails = true;
  EXPECT_EQ(status_of(cim::ListObjects{cim::InstancesOf{"CIM_ManagedElement"}}), cim::Status::kFailed);
}

TEST_F(BrokerTest, InvokesMethodsOfThoseWhoMay) {
  const auto path = path_to("Msvm_ComputerSystem", "Name", "m");
  const cim::InvokeMethod call{path, "requeststatechange", {{"RequestedState", Value(std::uint16_t{3})}}};
  const auto response = ask(call);
  const auto* result = std::get_if<cim::MethodResult>(&response);
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(result->return_value, Value(std::uint32_t{4096}));
  ASSERT_EQ(result->out.size(), 1U);
  EXPECT_EQ(machines->asked, Value(std::uint16_t{3}));
  caller.right = Right::kLook;
  EXPECT_EQ(status_of(call), cim::Status::kAccessDenied);
  caller.right = Right::kOperate;
  EXPECT_EQ(status_of(call), cim::Status{});
  EXPECT_EQ(status_of(cim::InvokeMethod{path, "NoMethod", {}}), cim::Status::kMethodNotFound);
  EXPECT_EQ(status_of(cim::InvokeMethod{machine("gone"), "RequestStateChange", {}}), cim::Status::kNotFound);
}

TEST_F(BrokerTest, ChangesOnlyWhatMayBeWritten) {
  cim::Instance changed;
  changed.class_name = "Msvm_ComputerSystem";
  changed.path = machine("m");
  changed.set("Name", Value("m"));
  changed.set("EnabledState", Value(std::uint16_t{3}));
  EXPECT_EQ(status_of(cim::ModifyInstance{changed}), cim::Status::kNotSupported);
  EXPECT_EQ(status_of(cim::ModifyInstance{changed, {{"Name"}}}), cim::Status{}) << "it is as it was";
  EXPECT_EQ(status_of(cim::ModifyInstance{changed, {{"Name", "EnabledStat"}}}), cim::Status::kNoSuchProperty);
  EXPECT_TRUE(machines->modified.properties.empty()) << "nothing is to be changed";
  changed.set("EnabledState", Value(std::uint32_t{2}));
  changed.set("PrimaryOwnerName", Value("grace"));
  EXPECT_EQ(status_of(cim::ModifyInstance{changed}), cim::Status{});
  EXPECT_EQ(machines->modified.properties, (std::vector<cim::NamedValue>{{"PrimaryOwnerName", Value("grace")}}));
  EXPECT_TRUE(cim::same_instance(machines->modified.path, machine("m")));
  caller.right = Right::kOperate;
  EXPECT_EQ(status_of(cim::ModifyInstance{changed}), cim::Status::kAccessDenied);
  EXPECT_EQ(status_of(cim::DeleteInstance{machine("m")}), cim::Status::kNotSupported);
}

// A client that was told of an empty array as NULL sends it back so.
TEST_F(BrokerTest, AnEmptyArrayAndNullAreTheSame) {
  cim::Instance changed;
  changed.class_name = "Msvm_ComputerSystem";
  changed.path = machine("m");
  changed.set("Dedicated", Value::null(cim::Type::kUint16, true));
  EXPECT_EQ(status_of(cim::ModifyInstance{changed}), cim::Status{});
  changed.set("Dedicated", Value::array_of(std::vector<std::uint16_t>{1}));
  EXPECT_EQ(status_of(cim::ModifyInstance{changed}), cim::Status::kNotSupported);
}

TEST_F(BrokerTest, AnswersFromTheSchema) {
  const auto one = ask(cim::GetClass{"msvm_computersystem"});
  EXPECT_EQ(std::get<cim::Classes>(one).classes.at(0).name, "Msvm_ComputerSystem");
  EXPECT_EQ(status_of(cim::GetClass{"No_Class"}), cim::Status::kNotFound);
  const auto names = ask(cim::EnumerateClassNames{"CIM_Collection", true});
  EXPECT_EQ(std::get<cim::ClassNames>(names).names.size(), 5U);
}

TEST_F(BrokerTest, GivesListsInBatches) {
  const auto first = open(2);
  EXPECT_EQ(first.instances.size(), 2U);
  EXPECT_FALSE(first.is_end_of_sequence);
  const auto next = std::get<cim::Objects>(ask(cim::PullObjects{first.context, 2}));
  EXPECT_EQ(next.instances.size(), 1U);
  EXPECT_TRUE(next.is_end_of_sequence);
  EXPECT_EQ(next.shape, cim::Shape::kPaths);
  EXPECT_EQ(status_of(cim::PullObjects{first.context, 2}), cim::Status::kInvalidEnumerationContext);
  EXPECT_EQ(open(0).instances.size(), 0U);
}

TEST_F(BrokerTest, AnEnumerationIsPulledAsItWasOpened) {
  const auto first = open(2);
  for (const auto shape : {cim::Shape::kInstances, cim::Shape::kInstancesWithPaths}) {
    EXPECT_EQ(status_of(cim::PullObjects{first.context, 2, shape}), cim::Status::kInvalidEnumerationContext);
  }
  const auto next = ask(cim::PullObjects{first.context, 2, cim::Shape::kPaths});
  EXPECT_EQ(std::get<cim::Objects>(next).instances.size(), 1U) << "nothing is lost by that";
}

TEST_F(BrokerTest, WhatHasNoRoomIsPulledNext) {
  for (const bool is_found_one_by_one : {false, true}) {
    collections->is_found_one_by_one = is_found_one_by_one;
    const auto opened = open(cim::InstancesOf{"Msvm_VirtualSystemCollection"});
    const Room for_none = [](const cim::Instance&, cim::Shape) { return false; };
    EXPECT_TRUE(pull(opened, 9, for_none).instances.empty());
    int left = 2;
    const auto some = pull(opened, 9, [&](const cim::Instance&, cim::Shape shape) {
      EXPECT_EQ(shape, cim::Shape::kInstancesWithPaths);
      return left-- > 0;
    });
    EXPECT_EQ(some.instances.size(), 2U);
    EXPECT_FALSE(some.is_end_of_sequence);
    const auto rest = pull(opened, 9);
    ASSERT_EQ(rest.instances.size(), 1U);
    EXPECT_EQ(rest.instances[0].at("CollectionID"), Value("C"));
    EXPECT_TRUE(rest.is_end_of_sequence);
  }
}

TEST_F(BrokerTest, ReadsWhatIsFoundOneByOneWhenItsTurnComes) {
  collections->is_found_one_by_one = true;
  const auto opened = open(cim::InstancesOf{"Msvm_VirtualSystemCollection"}, {{"ElementName"}});
  ASSERT_EQ(pull(opened, 1).instances.size(), 1U);
  collections->ids = {"A", "C", "new"};
  collections->name = "other name of ";
  const auto rest = pull(opened, 9);
  ASSERT_EQ(rest.instances.size(), 1U) << "B is gone";
  EXPECT_EQ(rest.instances[0].at("ElementName"), Value("other name of C"));
  EXPECT_EQ(rest.instances[0].properties.size(), 1U);
  EXPECT_TRUE(rest.is_end_of_sequence);
}

TEST_F(BrokerTest, WhatNoLongerFulfilsItsQueryIsLeftOut) {
  collections->is_found_one_by_one = true;
  const auto opened = open(cim::QueryFor{
      "WQL", "SELECT ElementName FROM Msvm_VirtualSystemCollection WHERE ElementName LIKE 'name of [BC]'"});
  const auto first = pull(opened, 1);
  ASSERT_EQ(first.instances.size(), 1U);
  EXPECT_EQ(first.instances[0].properties.size(), 1U);
  collections->name = "nothing of ";
  const auto rest = pull(opened, 9);
  EXPECT_TRUE(rest.instances.empty());
  EXPECT_TRUE(rest.is_end_of_sequence);
}

TEST_F(BrokerTest, AFailureLosesNothingOfAnEnumeration) {
  collections->is_found_one_by_one = true;
  const auto opened = open(cim::InstancesOf{"Msvm_VirtualSystemCollection"});
  for (const int answers : {0, 1, 2}) {
    collections->answers = answers;
    EXPECT_EQ(status_of(cim::PullObjects{opened.context, 3}), cim::Status::kFailed);
  }
  collections->answers = -1;
  EXPECT_EQ(pull(opened, 9).instances.size(), 3U);
}

TEST_F(BrokerTest, OneBatchIsReadAtATime) {
  const auto opened = open(cim::InstancesOf{"Msvm_VirtualSystemCollection"});
  const auto rest = pull(opened, 9, [&](const cim::Instance&, cim::Shape) {
    EXPECT_EQ(status_of(cim::PullObjects{opened.context, 1}), cim::Status::kServerLimitsExceeded);
    return true;
  });
  EXPECT_EQ(rest.instances.size(), 3U);
}

TEST_F(BrokerTest, AnEnumerationThatIsClosedWhileItIsReadStaysClosed) {
  const auto opened = open(cim::InstancesOf{"Msvm_VirtualSystemCollection"});
  static_cast<void>(pull(opened, 1, [&](const cim::Instance&, cim::Shape) {
    EXPECT_EQ(status_of(cim::CloseEnumeration{opened.context}), cim::Status{});
    return true;
  }));
  EXPECT_EQ(status_of(cim::PullObjects{opened.context, 1}), cim::Status::kInvalidEnumerationContext);
}

TEST_F(BrokerTest, LimitsWhatAllEnumerationsKeep) {
  Broker small{schema, "host.example", clock, {.bytes = 12000}};
  auto its_collections = std::make_unique<Collections>();
  its_collections->ids.assign(20, std::string(100, 'x'));  // a hundred bytes more or less, as they differ in nothing
  for (std::size_t index = 0; index < 20; ++index) its_collections->ids[index][0] = static_cast<char>('a' + index);
  small.add("root/virtualization/v2", std::move(its_collections));
  const cim::Request request{
      "root/virtualization/v2",
      cim::OpenEnumeration{cim::InstancesOf{"Msvm_VirtualSystemCollection"}, cim::Shape::kPaths}};
  const auto first = small.handle(request, caller);
  ASSERT_TRUE(std::holds_alternative<cim::Objects>(first));
  EXPECT_EQ(status_in(small.handle(request, caller)), cim::Status::kServerLimitsExceeded) << "a quarter is theirs";
  const Caller ada = caller;
  for (const char* name : {"grace", "barbara", "radia"}) {
    caller.name = name;
    EXPECT_TRUE(std::holds_alternative<cim::Objects>(small.handle(request, caller))) << name;
  }
  caller = ada;
  const auto& context = std::get<cim::Objects>(first).context;
  EXPECT_TRUE(std::holds_alternative<cim::Objects>(
      small.handle({request.namespace_name, cim::PullObjects{context, 100}}, caller)));
  EXPECT_TRUE(std::holds_alternative<cim::Objects>(small.handle(request, caller))) << "there is room again";
}

TEST_F(BrokerTest, KeepsEnumerationsApartAndForgetsThemInTime) {
  const auto mine = open(1);
  caller.name = "grace";
  EXPECT_EQ(status_of(cim::PullObjects{mine.context, 1}), cim::Status::kInvalidEnumerationContext);
  EXPECT_EQ(status_of(cim::CloseEnumeration{mine.context}), cim::Status::kInvalidEnumerationContext);
  caller.name = "ada";
  EXPECT_EQ(status_of(cim::CloseEnumeration{mine.context}), cim::Status{});
  const auto old = open(1);
  clock.now += std::chrono::seconds(61);
  EXPECT_EQ(status_of(cim::PullObjects{old.context, 1}), cim::Status::kInvalidEnumerationContext);
}

TEST_F(BrokerTest, AnEnumerationLivesAsLongAsItWasGranted) {
  const auto open_for = [&](std::chrono::seconds time) {
    cim::OpenEnumeration request{cim::InstancesOf{"Msvm_VirtualSystemCollection"}, cim::Shape::kPaths};
    request.max_objects = 2;
    request.timeout = time;
    return std::get<cim::Objects>(ask(request));
  };
  EXPECT_EQ(open_for(std::chrono::hours(9)).idle, std::chrono::seconds(900));
  const auto all = open_for(std::chrono::seconds(100));
  EXPECT_EQ(all.idle, std::chrono::seconds(100));
  clock.now += std::chrono::seconds(99);
  EXPECT_EQ(status_of(cim::PullObjects{all.context, 0}), cim::Status{});
  clock.now += std::chrono::seconds(101);
  EXPECT_EQ(status_of(cim::PullObjects{all.context, 1}), cim::Status::kInvalidEnumerationContext);
}

TEST_F(BrokerTest, ATimeoutThatMayNotBeCutIsRefusedWhenItIsTooLong) {
  cim::OpenEnumeration request{cim::InstancesOf{"Msvm_VirtualSystemCollection"}, cim::Shape::kPaths};
  request.may_be_cut = false;
  for (const int granted : {0, 900}) {
    request.timeout = std::chrono::seconds(granted);
    EXPECT_EQ(status_of(request), cim::Status{}) << granted;
  }
  request.timeout = std::chrono::seconds(901);
  EXPECT_EQ(status_of(request), cim::Status::kInvalidOperationTimeout);
}

TEST_F(BrokerTest, LimitsTheEnumerationsOfOneCallerAndOfAll) {
  const auto first = open(1);
  clock.now += std::chrono::seconds(1);
  static_cast<void>(open(1));
  static_cast<void>(open(1));
  EXPECT_EQ(status_of(cim::OpenEnumeration{cim::InstancesOf{"Msvm_VirtualSystemCollection"}, cim::Shape::kPaths}),
            cim::Status::kServerLimitsExceeded);
  caller.name = "grace";
  static_cast<void>(open(1));
  static_cast<void>(open(1));
  caller.name = "ada";
  EXPECT_EQ(status_of(cim::PullObjects{first.context, 1}), cim::Status::kInvalidEnumerationContext)
      << "the one that was idle longest made room";
}

}  // namespace
}  // namespace cohort::provider
