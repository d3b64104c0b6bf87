// Callers with roles for single collections: what they see, and what they may do, over all providers.
#include "provider/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cim/schema.h"
#include "provider/collection_providers.h"
#include "provider/machine_providers.h"
#include "provider/paths.h"
#include "service/testing/package_lab.h"

namespace cohort::provider {
namespace {

using cim::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr const char* kHost = "host.example";

class NoFolders final : public ExportRoots {
 public:
  [[nodiscard]] Result<Path> allowed(const std::string& directory) const override {
    return fail(ErrorCode::kPermission, "\"{}\" is not meant for exports.", directory);
  }
};

// "shop" (web, database, cache, archive) with its snapshot "nightly", "lab" (alone, loose is in none) with "lab's" and
// a reference point, and "all" with both in it.
class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    lab.add_machine("alone", PowerState::kRunning);
    lab.add_machine("loose", PowerState::kRunning);
    lab.add_collection("lab", {"alone"});
    lab.add_collection("all", {"shop", "lab"}, CollectionKind::kCollections);
    EXPECT_TRUE(lab.take_snapshot(service::snapshot_of("lab", "lab's")));
    EXPECT_TRUE(lab.take_snapshot(service::snapshot_of("lab", "point")));
    EXPECT_TRUE(lab.convert("point"));
    const ServiceSurroundings surroundings{kHost, {}};
    add_collection_providers(broker, {operations, jobs, lab.store, roots, lab.clock, surroundings});
    add_machine_providers(broker,
                          {schema, lab.hypervisor, lab.store, lab.clock, [] { return HostFacts{}; }, surroundings});
  }

  cim::Response ask(cim::Operation operation) {
    return broker.handle({std::string(cim::kVirtualizationNamespace), std::move(operation)}, caller);
  }
  // Its error, if it failed.
  cim::OperationFailed error_of(cim::Operation operation) {
    const auto response = ask(std::move(operation));
    const auto* failed = std::get_if<cim::OperationFailed>(&response);
    return failed == nullptr ? cim::OperationFailed{} : *failed;
  }
  std::vector<cim::Instance> list(const cim::Selection& what) {
    const auto response = ask(cim::ListObjects{what});
    if (const auto* failed = std::get_if<cim::OperationFailed>(&response)) ADD_FAILURE() << failed->description;
    return std::get<cim::Objects>(response).instances;
  }
  // The same, two at a time.
  std::vector<cim::Instance> pull(const cim::Selection& what) {
    auto response = ask(cim::OpenEnumeration{what});
    std::vector<cim::Instance> found;
    while (const auto* objects = std::get_if<cim::Objects>(&response)) {
      found.insert(found.end(), objects->instances.begin(), objects->instances.end());
      if (objects->is_end_of_sequence) return found;
      response = ask(cim::PullObjects{objects->context, 2});
    }
    ADD_FAILURE() << std::get<cim::OperationFailed>(response).description;
    return found;
  }
  std::vector<std::string> names(const cim::Selection& what) {
    std::vector<std::string> found;
    for (const auto& each : list(what)) {
      const auto* name = each.at("ElementName").get_if<std::string>();
      found.push_back(name == nullptr ? "" : *name);
    }
    return found;
  }
  std::vector<std::string> all(const std::string& class_name) { return names(cim::InstancesOf{class_name}); }

  Collection collection(const std::string& name) {
    const auto found = lab.store.collections().value();
    return *std::ranges::find(found, name, &Collection::name);
  }
  cim::ObjectPath path(const std::string& name) {
    const Collection found = collection(name);
    return path_of_collection(found.id, found.kind);
  }
  cim::ObjectPath snapshot(const std::string& name) {
    const auto found = lab.store.snapshots().value();
    return path_of_snapshot(std::ranges::find(found, name, &Snapshot::name)->id);
  }
  cim::ObjectPath point() {
    const auto found = lab.store.snapshots().value();
    const auto& of = *std::ranges::find(found, "point", &Snapshot::name);
    return path_of_reference_point(of.reference_point, of.collection);
  }
  cim::ObjectPath machine(const std::string& name) { return path_of_machine(lab.hypervisor.find_machine(name)->id); }

  // Whether the caller is refused.
  bool is_denied(const cim::ObjectPath& on, const std::string& method, std::vector<cim::NamedValue> parameters) {
    return error_of(cim::InvokeMethod{on, method, std::move(parameters)}).status == cim::Status::kAccessDenied;
  }
  bool is_denied(const std::string& service, const std::string& method, std::vector<cim::NamedValue> parameters) {
    return is_denied(path_of_service(service, kHost), method, std::move(parameters));
  }

  service::PackageLab lab;
  service::Operations operations{lab.hypervisor, lab.store, lab.copier,
                                 std::make_unique<service::FakeGuard>(lab.control), lab.clock};
  NoFolders roots;
  cim::Schema schema = *cim::Schema::built_in();
  Broker broker{schema, kHost, lab.clock, {}, &lab.store};
  service::BackgroundJobs jobs{operations.engine};
  Caller caller{"eve", Right::kNone, {{"lab", Right::kLook}}};
};

// Never instances: they are in requests, and in other instances.
bool is_embedded_only(const cim::Class& of) {
  return of.name == "Msvm_Error" || of.name == "CIM_Error" || of.name == "Msvm_SummaryInformation" ||
         of.name == "Msvm_SummaryInformationBase" || of.name == "Msvm_VirtualMachineToDisks" ||
         of.name == "Cohort_Package" || of.name.find("SnapshotSettingData") != std::string::npos ||
         of.name.find("ExportSettingData") != std::string::npos ||
         of.name.find("ReferencePointSettingData") != std::string::npos;
}

TEST_F(AccessTest, EveryClassHasAnOwner) {
  for (const auto name : schema.namespaces()) {
    for (const cim::Class& of : schema.find(name)->classes()) {
      const bool is_abstract = cim::has_qualifier(of.qualifiers, "Abstract");
      const bool is_association = cim::has_qualifier(of.qualifiers, "Association");
      if (is_abstract || is_association || is_embedded_only(of)) continue;
      EXPECT_TRUE(Access::knows(of.name)) << of.name;
    }
  }
}

TEST_F(AccessTest, EveryAssociationLeadsToInstancesThatAreThere) {
  caller = {"ada", Right::kAdminister};
  std::size_t associations = 0;
  for (const cim::Class& of : schema.find(cim::kVirtualizationNamespace)->classes()) {
    if (!cim::is_association(of)) continue;
    const auto response = ask(cim::ListObjects{cim::InstancesOf{of.name, true, true}});
    const auto* pairs = std::get_if<cim::Objects>(&response);
    ASSERT_NE(pairs, nullptr) << of.name;
    associations += pairs->instances.empty() ? 0U : 1U;
    for (const auto& pair : pairs->instances) {
      for (const auto& property : pair.properties) {
        const auto* end = property.value.reference();
        if (end != nullptr) {
          EXPECT_EQ(error_of(cim::GetInstance{*end}).description, "") << of.name << "." << property.name;
        }
      }
    }
  }
  EXPECT_EQ(associations, 20U) << "nothing was applied";
}

TEST_F(AccessTest, TheSnapshotThatWasAppliedLastIsKnown) {
  service::TakeSnapshotRequest standard = service::snapshot_of("lab", "before");
  standard.kind = SnapshotKind::kStandard;
  EXPECT_TRUE(lab.take_snapshot(standard));
  EXPECT_THAT(all("Msvm_LastAppliedSnapshot"), IsEmpty());
  service::ApplyRequest request;
  request.snapshot = "before";
  ASSERT_TRUE(lab.apply_snapshot(request));
  EXPECT_THAT(names(cim::AssociatorsOf{machine("alone"), "Msvm_LastAppliedSnapshot"}), ElementsAre("before"));
}

TEST_F(AccessTest, WhatIsOfferedForCollectionsAloneSaysSo) {
  for (const auto& [service, method, code] :
       {std::tuple("Msvm_VirtualSystemSnapshotService", "CreateSnapshot", 1U),
        std::tuple("Msvm_VirtualSystemSnapshotService", "DestroySnapshotTree", 32770U),
        std::tuple("Msvm_VirtualSystemReferencePointService", "CreateReferencePoint", 1U),
        std::tuple("Msvm_VirtualSystemReferencePointService", "ExportReferencePoint", 32770U)}) {
    const auto response = ask(cim::InvokeMethod{path_of_service(service, kHost), method, {}});
    const auto* result = std::get_if<cim::MethodResult>(&response);
    ASSERT_NE(result, nullptr) << method;
    EXPECT_EQ(result->return_value, Value(code)) << method;
  }
}

TEST_F(AccessTest, NobodySeesMoreThanServicesAndTheHost) {
  caller.rights.clear();
  EXPECT_THAT(all("CIM_Collection"), IsEmpty());
  EXPECT_THAT(all("CIM_Job"), IsEmpty());
  EXPECT_THAT(all("CIM_SettingData"), IsEmpty());
  EXPECT_THAT(all("Cohort_SnapshotFence"), IsEmpty());
  EXPECT_THAT(all("Cohort_MemberPause"), IsEmpty());
  EXPECT_THAT(all("Msvm_VirtualSystemReferencePoint"), IsEmpty());
  EXPECT_THAT(all("Msvm_ComputerSystem"), ElementsAre(kHost));
  EXPECT_THAT(all("CIM_Service"), SizeIs(7));
}

TEST_F(AccessTest, SeesWhatBelongsToTheCollection) {
  EXPECT_THAT(all("CIM_CollectionOfMSEs"), ElementsAre("lab"));
  EXPECT_THAT(all("Msvm_SnapshotCollection"), ElementsAre("lab's"));
  EXPECT_THAT(all("Msvm_ReferencePointCollection"), ElementsAre("point"));
  EXPECT_THAT(all("Msvm_VirtualSystemReferencePoint"), ElementsAre("alone"));
  EXPECT_THAT(all("Msvm_ComputerSystem"), UnorderedElementsAre(kHost, "alone"));
  EXPECT_THAT(all("Msvm_VirtualSystemSettingData"), UnorderedElementsAre("alone", "lab's"));
  EXPECT_THAT(all("Msvm_ProcessorSettingData"), SizeIs(2)) << "of the machine, and of its snapshot";
  EXPECT_THAT(all("Cohort_SnapshotFence"), ElementsAre("lab's"));
  EXPECT_THAT(all("Cohort_MemberPause"), ElementsAre("alone"));
  EXPECT_THAT(all("Msvm_ConcreteJob"), SizeIs(3)) << "two were taken, one was converted";
  EXPECT_THAT(all("Msvm_CollectedVirtualSystems"), SizeIs(1));
  EXPECT_THAT(all("Msvm_HostedDependency"), SizeIs(1));
  EXPECT_THAT(all("Msvm_SettingsDefineState"), SizeIs(1));
  EXPECT_THAT(all("Msvm_AffectedJobElement"), SizeIs(2));
}

TEST_F(AccessTest, FindsNothingElseByAnyWay) {
  const auto hidden = {path("shop"),
                       path("all"),
                       snapshot("nightly"),
                       machine("web"),
                       machine("loose"),
                       path_of_settings(lab.hypervisor.find_machine("web")->id),
                       path_of_job(lab.store.jobs()->back())};
  for (const auto& each : hidden) {
    EXPECT_EQ(error_of(cim::GetInstance{each}).status, cim::Status::kNotFound) << each.class_name;
    EXPECT_EQ(error_of(cim::ListObjects{cim::AssociatorsOf{each}}).status, cim::Status::kNotFound) << each.class_name;
    EXPECT_EQ(error_of(cim::ListObjects{cim::ReferencesOf{each}}).status, cim::Status::kNotFound) << each.class_name;
  }
  EXPECT_THAT(names(cim::QueryFor{"WQL", "SELECT * FROM Msvm_SnapshotCollection WHERE ElementName = 'nightly'"}),
              IsEmpty());
  EXPECT_THAT(names(cim::QueryFor{"WQL", "SELECT * FROM Msvm_ComputerSystem WHERE Name = '" +
                                             upper(lab.hypervisor.find_machine("web")->id.str()) + "'"}),
              IsEmpty());
  EXPECT_THAT(names(cim::AssociatorsOf{path("lab")}),
              UnorderedElementsAre("Collection Management Service", "alone", "lab's", "point"));
}

TEST_F(AccessTest, ARoleForACollectionOfCollectionsHoldsForThoseInIt) {
  caller.rights = {{"all", Right::kLook}};
  EXPECT_THAT(all("CIM_CollectionOfMSEs"), UnorderedElementsAre("shop", "lab", "all"));
  EXPECT_THAT(all("Msvm_SnapshotCollection"), UnorderedElementsAre("nightly", "lab's"));
  EXPECT_THAT(all("Msvm_ComputerSystem"), UnorderedElementsAre(kHost, "alone", "web", "database", "cache", "archive"));
}

TEST_F(AccessTest, ACollectionIsNamedByItsUuidToo) {
  caller.rights = {{upper(collection("lab").id.str()), Right::kLook}};
  EXPECT_THAT(all("CIM_CollectionOfMSEs"), ElementsAre("lab"));
}

TEST_F(AccessTest, SummariesAreOfMachinesThatAreSeen) {
  const auto service = path_of_service("Msvm_VirtualSystemManagementService", kHost);
  const auto codes = Value::array_of(std::vector<std::uint32_t>{1, 107});
  const auto response = ask(cim::InvokeMethod{service, "GetSummaryInformation", {{"RequestedInformation", codes}}});
  const auto* result = std::get_if<cim::MethodResult>(&response);
  ASSERT_NE(result, nullptr);
  ASSERT_THAT(result->out, SizeIs(1));
  EXPECT_THAT(result->out[0].value.elements(), SizeIs(1));
  const auto of_hidden =
      Value::array(cim::Type::kReference, {Value(path_of_settings(lab.hypervisor.find_machine("web")->id)).element()});
  const auto hidden = ask(cim::InvokeMethod{
      service, "GetSummaryInformation", {{"RequestedInformation", codes}, {"SettingData", of_hidden}}});
  const auto& summaries = std::get<cim::MethodResult>(hidden).out.at(0).value.elements();
  ASSERT_THAT(summaries, SizeIs(1));
  const auto summary = *std::get<cim::Shared<cim::Instance>>(summaries[0]);
  EXPECT_EQ(summary.at("Name"), Value("")) << "as of a machine that is not there";
  EXPECT_TRUE(summary.at("ElementName").is_null() && summary.at("Snapshots").is_null());
}

TEST_F(AccessTest, WhoAskedForAJobFollowsIt) {
  Job job;
  job.id = JobId::generate();
  job.owner = "eve";
  EXPECT_TRUE(lab.store.add_job(job));
  caller.rights.clear();
  EXPECT_THAT(all("Msvm_ConcreteJob"), SizeIs(1));
  EXPECT_FALSE(is_denied(path_of_job(job), "RequestStateChange", {{"RequestedState", Value(std::uint16_t{4})}}));
  caller.name = "adam";
  EXPECT_THAT(all("Msvm_ConcreteJob"), IsEmpty());
}

// The table of docs/security.md.
struct Row {
  const char* service;
  const char* method;
  const char* parameter;  // that names something of the collection; nothing: the method is for all collections
  Right needed;
};
constexpr const char* kManagement = "Msvm_CollectionManagementService";
constexpr const char* kSnapshots = "Msvm_CollectionSnapshotService";
constexpr const char* kPoints = "Msvm_CollectionReferencePointService";
constexpr const char* kPackages = "Cohort_PackageService";
constexpr Row kTable[] = {
    {kManagement, "DefineCollection", nullptr, Right::kAdminister},
    {kManagement, "RenameCollection", "Collection", Right::kAdminister},
    {kManagement, "DestroyCollection", "Collection", Right::kAdminister},
    {kManagement, "AddMember", "Collection", Right::kAdminister},
    {kManagement, "RemoveMember", "Collection", Right::kAdminister},
    {kSnapshots, "CreateSnapshot", "Collection", Right::kOperate},
    {kSnapshots, "ExportSnapshot", "SnapshotCollection", Right::kOperate},
    {kSnapshots, "ConvertToReferencePoint", "AffectedSnapshotCollection", Right::kOperate},
    {kSnapshots, "DestroySnapshot", "AffectedSnapshotCollection", Right::kOperate},
    {kSnapshots, "ApplySnapshot", "SnapshotCollection", Right::kAdminister},
    {kPoints, "CreateReferencePoint", "Collection", Right::kOperate},
    {kPoints, "ExportReferencePoint", "ReferencePointCollection", Right::kOperate},
    {kPoints, "DestroyReferencePoint", "AffectedReferencePointCollection", Right::kOperate},
    {kPackages, "ListPackages", nullptr, Right::kLook},
    {kPackages, "VerifyPackage", nullptr, Right::kOperate},
    {kPackages, "MergePackage", nullptr, Right::kOperate},
    {kPackages, "TryPackage", nullptr, Right::kOperate},
    {kPackages, "ImportPackage", nullptr, Right::kAdminister},
};

class RightsTable : public AccessTest, public ::testing::WithParamInterface<Row> {
 protected:
  // Of "lab", or of the shop. With a name or a type that is none, so that whoever is let in changes nothing.
  std::vector<cim::NamedValue> parameters(bool is_of_lab) {
    const Row& row = GetParam();
    std::vector<cim::NamedValue> given;
    if (row.parameter == nullptr) return given;
    const std::string name = row.parameter;
    if (name == "Collection")
      given.push_back({name, Value(path(is_of_lab ? "lab" : "shop"))});
    else if (name.find("Snapshot") != std::string::npos)
      given.push_back({name, Value(snapshot(is_of_lab ? "lab's" : "nightly"))});
    else
      given.push_back({name, Value(point())});
    return given;
  }
};

TEST_P(RightsTable, ARoleForAllCollectionsIsEnough) {
  caller.rights.clear();
  for (const Right right : {Right::kNone, Right::kLook, Right::kOperate, Right::kAdminister}) {
    caller.right = right;
    lab.control.clear();
    EXPECT_EQ(is_denied(GetParam().service, GetParam().method, {}), right < GetParam().needed) << role_of(right);
  }
}

TEST_P(RightsTable, ARoleForTheCollectionIsEnoughForWhatIsOfIt) {
  if (GetParam().parameter == nullptr) return;
  for (const Right right : {Right::kLook, Right::kOperate, Right::kAdminister}) {
    caller.rights = {{"lab", right}};
    if (right < GetParam().needed) {
      EXPECT_TRUE(is_denied(GetParam().service, GetParam().method, parameters(true))) << role_of(right);
    }
    if (std::string_view(GetParam().parameter) != "ReferencePointCollection" &&
        std::string_view(GetParam().parameter) != "AffectedReferencePointCollection") {
      EXPECT_TRUE(is_denied(GetParam().service, GetParam().method, parameters(false))) << "of another";
    }
  }
  caller.rights = {{"lab", GetParam().needed}};
  EXPECT_FALSE(is_denied(GetParam().service, GetParam().method, parameters(true)));
}

TEST_P(RightsTable, ARoleForACollectionIsNoneForAll) {
  caller.rights = {{"lab", Right::kAdminister}};
  EXPECT_TRUE(is_denied(GetParam().service, GetParam().method, {}));
}

INSTANTIATE_TEST_SUITE_P(Methods, RightsTable, ::testing::ValuesIn(kTable),
                         [](const auto& row) { return std::string(row.param.method); });

TEST_F(AccessTest, TheRefusalNamesTheRoleThatIsNeeded) {
  const auto refused = error_of(
      cim::InvokeMethod{path_of_service(kSnapshots, kHost), "CreateSnapshot", {{"Collection", Value(path("lab"))}}});
  EXPECT_EQ(refused.status, cim::Status::kAccessDenied);
  EXPECT_THAT(refused.description,
              HasSubstr("eve may not call CreateSnapshot: that needs the role \"operator\" for the collection"));
}

TEST_F(AccessTest, AMemberIsAddedByWhoAdministersBoth) {
  caller.rights = {{"lab", Right::kAdminister}};
  const auto add = [&](const std::string& member) {
    return is_denied(kManagement, "AddMember",
                     {{"Collection", Value(path("lab"))}, {"Member", Value(machine(member))}});
  };
  EXPECT_TRUE(add("loose"));
  EXPECT_TRUE(add("web"));
  caller.rights.push_back({"shop", Right::kAdminister});
  EXPECT_FALSE(add("web"));
}

TEST_F(AccessTest, AMemberIsRemovedByIdByTheCollectionsAdministrator) {
  const auto remove = [&] {
    const auto response = ask(
        cim::InvokeMethod{path_of_service(kManagement, kHost),
                          "RemoveMemberById",
                          {{"Member", Value(machine("alone"))}, {"CollectionId", Value(collection("lab").id.str())}}});
    const auto* result = std::get_if<cim::MethodResult>(&response);
    return result != nullptr && result->return_value == Value(std::uint32_t{0});
  };
  EXPECT_FALSE(remove());
  caller.rights = {{"lab", Right::kAdminister}};
  EXPECT_TRUE(remove());
}

TEST_F(AccessTest, MachinesOfTheCollectionAreStartedByItsOperators) {
  const std::vector<cim::NamedValue> pause = {{"RequestedState", Value(std::uint16_t{9})}};
  EXPECT_TRUE(is_denied(machine("alone"), "RequestStateChange", pause));
  caller.rights = {{"lab", Right::kOperate}};
  EXPECT_FALSE(is_denied(machine("alone"), "RequestStateChange", pause));
  EXPECT_EQ(error_of(cim::InvokeMethod{machine("web"), "RequestStateChange", pause}).status, cim::Status::kNotFound);
}

TEST_F(AccessTest, IsNotAnsweredWithHalfAListWhenTheStateCannotBeRead) {
  lab.control.fail_next("collections", ErrorCode::kIo);
  EXPECT_EQ(error_of(cim::ListObjects{cim::InstancesOf{"Msvm_ComputerSystem"}}).status, cim::Status::kFailed);
}

TEST_F(AccessTest, AnEnumerationIsTheListInBatches) {
  const auto is_same = [this](const cim::Selection& what, const std::string& shown) {
    EXPECT_EQ(pull(what), list(what)) << shown;
  };
  for (const Right right : {Right::kAdminister, Right::kNone}) {
    caller.right = right;
    caller.rights = {{"lab", Right::kLook}};
    std::size_t instances = 0;
    for (const cim::Class& of : schema.find(cim::kVirtualizationNamespace)->classes()) {
      is_same(cim::InstancesOf{of.name, true, true}, of.name);
      is_same(cim::QueryFor{"WQL", "SELECT * FROM " + of.name}, of.name);
      for (const auto& each : list(cim::InstancesOf{of.name, true, true})) {
        ++instances;
        is_same(cim::ReferencesOf{each.path}, of.name);
        is_same(cim::AssociatorsOf{each.path}, of.name);
      }
    }
    is_same(cim::InstancesOf{"CIM_ManagedElement", false}, "all");
    EXPECT_GT(instances, 50U);
  }
}

}  // namespace
}  // namespace cohort::provider
