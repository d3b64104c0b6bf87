#include "provider/collection_providers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "cim/object_path.h"
#include "provider/concrete_job.h"
#include "provider/paths.h"
#include "service/frozen_stamps.h"
#include "service/testing/package_lab.h"

namespace cohort::provider {
namespace {

using cim::Value;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::uint32_t kSnapshotParameter = 4;  // "Invalid Parameter" of the snapshot service
constexpr std::uint32_t kManagementParameter = 32773;

class BelowOneFolder final : public ExportRoots {
 public:
  explicit BelowOneFolder(Path root) : root_(std::move(root)) {}
  [[nodiscard]] Result<Path> allowed(const std::string& directory) const override {
    if (directory.starts_with(root_.string())) return Path(directory);
    return fail(ErrorCode::kPermission, "\"{}\" is not meant for exports.", directory);
  }

 private:
  Path root_;
};

class CollectionProvidersTest : public ::testing::Test {
 protected:
  CollectionProvidersTest() {
    add_collection_providers(
        broker,
        {operations, jobs, lab.store, roots, lab.clock, {"host.example", [this](const MethodCall&, const Error& why) {
                                                           refusals.push_back(why.message);
                                                         }}});
  }

  cim::Response ask(cim::Operation operation) {
    return broker.handle({std::string(cim::kVirtualizationNamespace), std::move(operation)}, caller);
  }
  std::vector<cim::Instance> list(cim::Selection what) {
    const auto response = ask(cim::ListObjects{std::move(what)});
    const auto* objects = std::get_if<cim::Objects>(&response);
    EXPECT_NE(objects, nullptr);
    return objects == nullptr ? std::vector<cim::Instance>() : objects->instances;
  }
  std::vector<cim::Instance> query(const std::string& text) { return list(cim::QueryFor{"WQL", text}); }

  cim::MethodResult call(const cim::ObjectPath& on, const std::string& method,
                         std::vector<cim::NamedValue> parameters) {
    const auto response = ask(cim::InvokeMethod{on, method, std::move(parameters)});
    if (const auto* failed = std::get_if<cim::OperationFailed>(&response)) ADD_FAILURE() << failed->description;
    const auto* result = std::get_if<cim::MethodResult>(&response);
    return result == nullptr ? cim::MethodResult{} : *result;
  }
  cim::MethodResult of_service(const std::string& service, const std::string& method,
                               std::vector<cim::NamedValue> parameters) {
    return call(path_of_service(service, "host.example"), method, std::move(parameters));
  }
  cim::MethodResult manage(const std::string& method, std::vector<cim::NamedValue> parameters) {
    return of_service("Msvm_CollectionManagementService", method, std::move(parameters));
  }
  cim::MethodResult snapshots(const std::string& method, std::vector<cim::NamedValue> parameters) {
    return of_service("Msvm_CollectionSnapshotService", method, std::move(parameters));
  }
  static std::uint32_t code(const cim::MethodResult& result) { return *result.return_value.get_if<std::uint32_t>(); }
  static cim::ObjectPath out(const cim::MethodResult& result, const std::string& name) {
    const auto* found = cim::find_named(result.out, name);
    return found == nullptr ? cim::ObjectPath() : *found->value.reference();
  }

  // The job of a result when it has ended.
  cim::Instance ended(const cim::MethodResult& result) {
    EXPECT_EQ(code(result), kJobStarted);
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (true) {
      const auto response = ask(cim::GetInstance{out(result, "Job")});
      const auto* found = std::get_if<cim::Objects>(&response);
      if (found == nullptr || std::chrono::steady_clock::now() > late) return {};
      const cim::Instance job = found->instances.front();
      if (*job.at("JobState").get_if<std::uint16_t>() != 4) return job;
      std::this_thread::sleep_for(Milliseconds(2));
    }
  }
  static Value state(CimJobState state) { return Value(static_cast<std::uint16_t>(state)); }

  cim::ObjectPath shop() { return path_of_collection(lab.store.collections()->front().id, CollectionKind::kMachines); }
  cim::ObjectPath nightly() { return path_of_snapshot(lab.store.snapshots()->front().id); }
  static Value settings(const std::string& class_name, const std::string& name, Value value) {
    cim::Instance instance;
    instance.class_name = class_name;
    instance.set(name, std::move(value));
    return Value(std::move(instance));
  }
  // The reference point that a snapshot becomes.
  cim::Instance converted(const std::string& name) {
    const auto all = lab.store.snapshots().value();
    for (const Snapshot& each : all) {
      if (each.name != name) continue;
      const auto job = ended(
          snapshots("ConvertToReferencePoint", {{"AffectedSnapshotCollection", Value(path_of_snapshot(each.id))}}));
      const auto points = list(cim::AssociatorsOf{job.path, "Msvm_AffectedJobElement"});
      if (points.size() == 1) return points.front();
    }
    ADD_FAILURE() << name;
    return {};
  }
  // What is exported of a reference point to "<folder>/<name>".
  cim::MethodResult export_point(const cim::Instance& point, const std::string& name, Value settings) {
    return of_service("Msvm_CollectionReferencePointService", "ExportReferencePoint",
                      {{"ReferencePointCollection", Value(point.path)},
                       {"ExportDirectory", Value((lab.folder.path() / name).string())},
                       {"ExportSettingData", std::move(settings)}});
  }
  // Msvm_VirtualMachineToDisks for each machine, as the settings of such an export.
  static Value chosen(const std::vector<std::pair<Value, std::vector<cim::Element>>>& machines) {
    std::vector<cim::Element> all;
    for (const auto& [machine, disks] : machines) {
      cim::Instance one;
      one.class_name = "Msvm_VirtualMachineToDisks";
      one.set("VirtualMachineId", machine);
      one.set("DisksToExport", Value::array(cim::Type::kString, disks));
      all.push_back(Value(std::move(one)).element());
    }
    return settings("Msvm_CollectionReferencePointExportSettingData", "VirtualMachinesToDisksToExport",
                    Value::array(cim::Type::kInstance, std::move(all)));
  }
  std::string last_refusal() { return refusals.empty() ? "nothing was refused" : refusals.back(); }
  std::size_t jobs_so_far() { return lab.store.jobs()->size(); }
  cim::MethodResult export_nightly(std::vector<cim::NamedValue> more = {}) {
    more.push_back({"SnapshotCollection", Value(nightly())});
    if (cim::find_named(more, "ExportDirectory") == nullptr) {
      more.push_back({"ExportDirectory", Value(lab.target().string())});
    }
    return snapshots("ExportSnapshot", std::move(more));
  }

  service::PackageLab lab;  // "shop" with its snapshot "nightly"
  service::Operations operations{lab.hypervisor, lab.store, lab.copier,
                                 std::make_unique<service::FakeGuard>(lab.control), lab.clock};
  BelowOneFolder roots{lab.folder.path()};
  cim::Schema schema = *cim::Schema::built_in();
  Broker broker{schema, "host.example", lab.clock};
  service::BackgroundJobs jobs{operations.engine};
  Caller caller{"ada", Right::kAdminister};
  std::vector<std::string> refusals;
};

TEST_F(CollectionProvidersTest, ShowsCollectionsTheirMembersAndSnapshots) {
  const auto collections = list(cim::InstancesOf{"CIM_CollectionOfMSEs"});
  ASSERT_THAT(collections, SizeIs(1));
  EXPECT_EQ(collections[0].at("ElementName"), Value("shop"));
  EXPECT_EQ(collections[0].at("ReplicationMode"), Value(std::uint16_t{0}));
  EXPECT_TRUE(collections[0].at("LastApplyTime").is_null());
  EXPECT_THAT(list(cim::ReferencesOf{shop(), "Msvm_CollectedVirtualSystems"}), SizeIs(4));
  const auto taken = list(cim::AssociatorsOf{shop(), "Msvm_SnapshotOfVirtualSystemCollection"});
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].at("ElementName"), Value("nightly"));
  EXPECT_THAT(list(cim::ReferencesOf{nightly(), "Msvm_CollectedSnapshots"}), SizeIs(4));
}

TEST_F(CollectionProvidersTest, DefinesACollectionWithTheIdThatIsGiven) {
  const std::string id = "0F3A1B2C-0000-4000-8000-00000000ABCD";
  const auto defined =
      manage("DefineCollection", {{"Name", Value("lab")}, {"Id", Value(id)}, {"Type", Value(std::uint16_t{1})}});
  EXPECT_EQ(code(defined), kNoError);
  EXPECT_EQ(out(defined, "DefinedCollection").class_name, "Msvm_ManagementCollection");
  EXPECT_EQ(*out(defined, "DefinedCollection").key("CollectionID"), Value(id));
  EXPECT_EQ(code(manage("DefineCollection", {{"Name", Value("other")}, {"Id", Value(id)}})), kManagementParameter);
  EXPECT_THAT(refusals, SizeIs(1));
  EXPECT_EQ(code(manage("DefineCollection", {{"Name", Value("x")}, {"Type", Value(std::uint16_t{7})}})),
            kManagementParameter);
  EXPECT_EQ(code(manage("DefineCollection", {})), kManagementParameter);
}

TEST_F(CollectionProvidersTest, ChangesMembersAndNames) {
  const MachineId extra = lab.add_machine("extra", PowerState::kOff);
  EXPECT_EQ(code(manage("AddMember", {{"Member", Value(path_of_machine(extra))}, {"Collection", Value(shop())}})),
            kNoError);
  EXPECT_THAT(list(cim::ReferencesOf{shop(), "Msvm_CollectedVirtualSystems"}), SizeIs(5));
  const std::string id = *shop().key("CollectionID")->get_if<std::string>();
  EXPECT_EQ(code(manage("RemoveMemberById", {{"Member", Value(path_of_machine(extra))}, {"CollectionId", Value(id)}})),
            kNoError);
  EXPECT_THAT(list(cim::ReferencesOf{shop(), "Msvm_CollectedVirtualSystems"}), SizeIs(4));
  EXPECT_EQ(code(manage("RenameCollection", {{"Collection", Value(shop())}, {"NewName", Value("store")}})), kNoError);
  EXPECT_THAT(query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'store'"), SizeIs(1));
  EXPECT_EQ(code(manage("DestroyCollection", {{"Collection", Value(shop())}})), 32775U) << "it has a snapshot";
}

TEST_F(CollectionProvidersTest, RemovesAMemberWhoseMachineIsGone) {
  const MachineId extra = lab.add_machine("extra", PowerState::kOff);
  const cim::ObjectPath member = path_of_machine(extra);
  const std::string id = *shop().key("CollectionID")->get_if<std::string>();
  ASSERT_EQ(code(manage("AddMember", {{"Member", Value(member)}, {"Collection", Value(shop())}})), kNoError);
  lab.hypervisor.remove_machine("extra");
  EXPECT_EQ(code(manage("RemoveMemberById", {{"Member", Value(member)}, {"CollectionId", Value(id)}})), kNoError);
  EXPECT_THAT(list(cim::ReferencesOf{shop(), "Msvm_CollectedVirtualSystems"}), SizeIs(4));
  EXPECT_EQ(code(manage("RemoveMemberById", {{"Member", Value(member)}, {"CollectionId", Value(id)}})),
            kManagementParameter)
      << "it is no member any more";
}

TEST_F(CollectionProvidersTest, RemovesAMemberOfACollectionThatIsGone) {
  const Value member(path_of_machine(lab.add_machine("extra", PowerState::kOff)));
  const Value gone("0F3A1B2C-0000-4000-8000-00000000ABCD");
  EXPECT_EQ(code(manage("RemoveMemberById", {{"Member", member}, {"CollectionId", gone}})), kNoError);
  EXPECT_EQ(code(manage("RemoveMemberById", {{"Member", member}, {"CollectionId", Value("none")}})),
            kManagementParameter);
  EXPECT_EQ(code(manage("RemoveMemberById", {{"CollectionId", gone}})), kManagementParameter);
  const std::string id = *gone.get_if<std::string>();
  const auto collection = path_of_collection(*CollectionId::parse(id), CollectionKind::kMachines);
  EXPECT_EQ(code(manage("RemoveMember", {{"Member", member}, {"Collection", Value(collection)}})), kManagementParameter)
      << "which does not go by the id";
}

TEST_F(CollectionProvidersTest, NamesItsServicesAsHyperVDoes) {
  const auto is_there = [this](const std::string& service, const char* name) {
    cim::ObjectPath path = path_of_service(service, "host.example");
    for (cim::NamedValue& key : path.keys) {
      if (key.name == "Name") key.value = Value(name);
    }
    const auto response = ask(cim::GetInstance{path});
    return std::holds_alternative<cim::Objects>(response);
  };
  EXPECT_TRUE(is_there("Msvm_CollectionManagementService", "collectionsvc"));
  EXPECT_FALSE(is_there("Msvm_CollectionManagementService", "vmms"));
}

TEST_F(CollectionProvidersTest, ManagesACollectionOfCollections) {
  const auto defined = manage("DefineCollection", {{"Name", Value("all")}, {"Type", Value(std::uint16_t{1})}});
  const cim::ObjectPath all = out(defined, "DefinedCollection");
  const auto change = [&](const std::string& method, const cim::ObjectPath& member) {
    return code(manage(method, {{"Member", Value(member)}, {"Collection", Value(all)}}));
  };
  const cim::ObjectPath its_shop = list(cim::InstancesOf{"Msvm_VirtualSystemCollection"}).at(0).path;
  EXPECT_EQ(change("AddMember", its_shop), kNoError);
  EXPECT_EQ(change("AddMember", its_shop), kManagementParameter) << "it is one already";
  EXPECT_EQ(change("AddMember", all), kManagementParameter) << "a cycle";
  const auto members = list(cim::AssociatorsOf{all, "Msvm_CollectedCollections"});
  ASSERT_THAT(members, SizeIs(1));
  EXPECT_EQ(members[0].at("ElementName"), Value("shop"));
  const auto holders = list(cim::AssociatorsOf{its_shop, "Msvm_CollectedCollections", "Msvm_ManagementCollection"});
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_EQ(holders[0].at("ElementName"), Value("all"));
  EXPECT_EQ(code(manage("RenameCollection", {{"Collection", Value(all)}, {"NewName", Value("both")}})), kNoError);
  EXPECT_THAT(query("SELECT * FROM Msvm_ManagementCollection WHERE ElementName = 'both'"), SizeIs(1));

  const auto job =
      ended(snapshots("CreateSnapshot", {{"Collection", Value(all)}, {"SnapshotType", Value(std::uint16_t{2})}}));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  const auto made = list(cim::AssociatorsOf{job.path, "Msvm_AffectedJobElement"});
  ASSERT_THAT(made, SizeIs(1));
  EXPECT_THAT(list(cim::ReferencesOf{made[0].path, "Msvm_CollectedSnapshots"}), SizeIs(4)) << "the shop's machines";
  EXPECT_EQ(list(cim::AssociatorsOf{made[0].path, "Msvm_SnapshotOfVirtualSystemCollection"}).at(0).at("ElementName"),
            Value("both"));
  EXPECT_EQ(ended(snapshots("DestroySnapshot", {{"AffectedSnapshotCollection", Value(made[0].path)}})).at("JobState"),
            state(CimJobState::kCompleted));
  EXPECT_EQ(change("RemoveMember", its_shop), kNoError);
  EXPECT_THAT(list(cim::ReferencesOf{all, "Msvm_CollectedCollections"}), SizeIs(0));
  EXPECT_EQ(code(manage("DestroyCollection", {{"Collection", Value(all)}})), kNoError);
  EXPECT_THAT(list(cim::InstancesOf{"Msvm_ManagementCollection"}), SizeIs(0));
}

TEST_F(CollectionProvidersTest, ANameThatIsWrittenRenamesTheCollection) {
  const auto write = [this](const cim::ObjectPath& path, const char* property, Value value) {
    cim::Instance changed{path.class_name, {{property, std::move(value)}}, path};
    const auto response = ask(cim::ModifyInstance{std::move(changed)});
    const auto* failed = std::get_if<cim::OperationFailed>(&response);
    return failed == nullptr ? cim::Status{} : failed->status;
  };
  EXPECT_EQ(write(shop(), "ElementName", Value("store")), cim::Status{});
  EXPECT_EQ(lab.store.collections()->front().name, "store");
  ASSERT_EQ(code(manage("DefineCollection", {{"Name", Value("taken")}, {"Type", Value(std::uint16_t{0})}})), kNoError);
  EXPECT_EQ(write(shop(), "ElementName", Value("taken")), cim::Status::kAlreadyExists);
  EXPECT_EQ(write(shop(), "ElementName", Value::null(cim::Type::kString)), cim::Status::kInvalidParameter);
  EXPECT_EQ(write(shop(), "CollectionID", Value("other")), cim::Status::kNotSupported);
  EXPECT_EQ(write(nightly(), "ElementName", Value("weekly")), cim::Status::kNotSupported);
  caller.right = Right::kOperate;
  EXPECT_EQ(write(shop(), "ElementName", Value("mine")), cim::Status::kAccessDenied);
  EXPECT_THAT(query("SELECT * FROM Msvm_VirtualSystemCollection WHERE ElementName = 'store'"), SizeIs(1));
}

TEST_F(CollectionProvidersTest, TakesARecoverySnapshotAsAJob) {
  const auto job = ended(snapshots(
      "CreateSnapshot",
      {{"Collection", Value(shop())},
       {"SnapshotType", Value(std::uint16_t{2})},
       {"SnapshotSettings", settings("Msvm_VirtualSystemSnapshotSettingData", "ElementName", Value("from afar"))}}));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_EQ(job.at("PercentComplete"), Value(std::uint16_t{100}));
  EXPECT_EQ(job.at("JobType"), Value(std::uint16_t{198}));
  EXPECT_EQ(job.at("Owner"), Value("ada"));
  const auto made = list(cim::AssociatorsOf{job.path, "Msvm_AffectedJobElement", "Msvm_SnapshotCollection"});
  ASSERT_THAT(made, SizeIs(1));
  EXPECT_EQ(made[0].at("ElementName"), Value("from afar"));
}

TEST_F(CollectionProvidersTest, TakesAStandardSnapshotAndGoesBackToIt) {
  const auto taken =
      ended(snapshots("CreateSnapshot", {{"Collection", Value(shop())}, {"SnapshotType", Value(std::uint16_t{1})}}));
  EXPECT_EQ(taken.at("JobState"), state(CimJobState::kCompleted));
  const auto made = list(cim::AssociatorsOf{taken.path, "Msvm_AffectedJobElement"});
  ASSERT_THAT(made, SizeIs(1));
  const auto applied = ended(snapshots("ApplySnapshot", {{"SnapshotCollection", Value(made[0].path)}}));
  EXPECT_EQ(applied.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_EQ(applied.at("JobType"), Value(std::uint16_t{71}));
  const auto effect = list(cim::ReferencesOf{applied.path, "Msvm_AffectedJobElement"}).at(0);
  EXPECT_EQ(effect.at("ElementEffects"), Value::array_of(std::vector<std::uint16_t>{1}));
  EXPECT_EQ(effect.at("OtherElementEffectsDescriptions"),
            Value::array_of(std::vector<std::string>{"Apply Collection Snapshot"}));
  const auto store = list(cim::InstancesOf{"Msvm_VirtualSystemCollection"}).at(0);
  EXPECT_EQ(store.at("LastApplyTime"), applied.at("TimeOfLastStateChange"));
  EXPECT_EQ(store.at("LastApplyConsistencyLevel"), Value(std::uint16_t{3})) << "of one instant";
  EXPECT_THAT(store.at("LastApplyVirtualMachineIds").elements(), SizeIs(4));
}

TEST_F(CollectionProvidersTest, ChecksParametersBeforeAJobIsStarted) {
  const std::size_t before = lab.store.jobs()->size();
  const auto gone = path_of_collection(CollectionId::generate(), CollectionKind::kMachines);
  EXPECT_EQ(code(snapshots("CreateSnapshot", {{"Collection", Value(gone)}, {"SnapshotType", Value(std::uint16_t{2})}})),
            kSnapshotParameter);
  EXPECT_EQ(
      code(snapshots("CreateSnapshot", {{"Collection", Value(shop())}, {"SnapshotType", Value(std::uint16_t{9})}})),
      kInvalidType);
  EXPECT_EQ(code(snapshots("CreateSnapshot", {{"SnapshotType", Value(std::uint16_t{2})}})), kSnapshotParameter);
  EXPECT_EQ(code(snapshots("CreateSnapshot", {{"Collection", Value(shop())},
                                              {"SnapshotType", Value(std::uint16_t{2})},
                                              {"SnapshotSettings", Value("no instance")}})),
            kSnapshotParameter);
  EXPECT_EQ(code(export_nightly({{"ExportDirectory", Value("/etc/elsewhere")}})), 2U);
  EXPECT_THAT(last_refusal(), HasSubstr("not meant for exports"));
  EXPECT_EQ(code(export_nightly({{"ExportDirectory", Value("")}})), kSnapshotParameter);
  EXPECT_EQ(lab.store.jobs()->size(), before);
}

TEST_F(CollectionProvidersTest, ExportsBelowARootAndRemovesTheSnapshot) {
  const auto exported = ended(export_nightly());
  EXPECT_EQ(exported.at("JobState"), state(CimJobState::kCompleted)) << fmt::format(
      "{}", exported.at("ErrorDescription").is_null() ? "" : *exported.at("ErrorDescription").get_if<std::string>());
  EXPECT_TRUE(std::filesystem::exists(lab.target() / "cohort.json"));
  const auto removed = ended(snapshots("DestroySnapshot", {{"AffectedSnapshotCollection", Value(nightly())}}));
  EXPECT_EQ(removed.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_TRUE(list(cim::InstancesOf{"Msvm_SnapshotCollection"}).empty());
}

TEST_F(CollectionProvidersTest, ConvertsASnapshotToAReferencePointAndRemovesIt) {
  const auto job = ended(snapshots("ConvertToReferencePoint", {{"AffectedSnapshotCollection", Value(nightly())}}));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_TRUE(list(cim::InstancesOf{"Msvm_SnapshotCollection"}).empty());
  const auto points = list(cim::AssociatorsOf{job.path, "Msvm_AffectedJobElement"});
  ASSERT_THAT(points, SizeIs(1));
  EXPECT_EQ(points[0].class_name, "Msvm_ReferencePointCollection");
  EXPECT_EQ(points[0].at("VirtualSystemCollectionId"), *shop().key("CollectionID"));
  const auto machines = list(cim::AssociatorsOf{points[0].path, "Msvm_CollectedReferencePoints"});
  ASSERT_THAT(machines, SizeIs(4));
  const auto& disks = machines[0].at("VirtualDiskIdentifiers").elements();
  EXPECT_THAT(disks, SizeIs(2));
  EXPECT_EQ(disks.size(), machines[0].at("ResilientChangeTrackingIdentifiers").elements().size());
  EXPECT_EQ(machines[0].at("HasAssociatedData"), Value(false)) << "RemoveAssociatedData is not supported";
  EXPECT_THAT(list(cim::AssociatorsOf{shop(), "Msvm_ReferencePointOfVirtualSystemCollection"}), SizeIs(1));
  const auto gone = ended(of_service("Msvm_CollectionReferencePointService", "DestroyReferencePoint",
                                     {{"AffectedReferencePointCollection", Value(points[0].path)}}));
  EXPECT_EQ(gone.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_TRUE(list(cim::InstancesOf{"Msvm_ReferencePointCollection"}).empty());
}

TEST_F(CollectionProvidersTest, MakesAReferencePointAtOnce) {
  const auto job =
      ended(of_service("Msvm_CollectionReferencePointService", "CreateReferencePoint",
                       {{"Collection", Value(shop())},
                        {"ReferencePointType", Value(std::uint16_t{2})},
                        {"ReferencePointSettings", settings("Msvm_CollectionReferencePointSettingData",
                                                            "ConsistencyLevel", Value(std::uint8_t{2}))}}));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  const auto points = list(cim::InstancesOf{"Msvm_ReferencePointCollection"});
  ASSERT_THAT(points, SizeIs(1));
  EXPECT_EQ(points[0].at("ConsistencyLevel"), Value(std::uint16_t{1})) << "crash consistent, as that page has it";
}

TEST_F(CollectionProvidersTest, ChecksTheBaseOfADifferenceBeforeAJobIsStarted) {
  const std::size_t before = jobs_so_far();
  const auto settings_with = [](std::string_view name, Value value) {
    return settings("Msvm_CollectionSnapshotExportSettingData", std::string(name), std::move(value));
  };
  const auto with = [&](Value value) { return code(export_nightly({{"ExportSettingData", std::move(value)}})); };
  const auto on = [&](const cim::ObjectPath& base) {
    return with(settings_with("DifferentialBackupBase", Value(cim::to_text(base))));
  };
  EXPECT_EQ(with(settings_with("DifferentialBackupBase", Value("Msvm_ComputerSystem.Name=\"x\""))), kSnapshotParameter);
  EXPECT_THAT(last_refusal(), HasSubstr("DifferentialBackupBase is the path"));
  EXPECT_EQ(with(settings_with("BackupIntent", Value(std::uint16_t{7}))), kSnapshotParameter);
  EXPECT_EQ(on(path_of_snapshot(SnapshotId::generate())), kSnapshotParameter);
  EXPECT_THAT(last_refusal(), HasSubstr("There is no root/virtualization/v2:Msvm_SnapshotCollection"));
  EXPECT_EQ(on(nightly()), kSnapshotParameter) << "of itself";
  EXPECT_THAT(last_refusal(), HasSubstr("is not an earlier one"));
  EXPECT_EQ(jobs_so_far(), before);
}

TEST_F(CollectionProvidersTest, RefusesADifferenceWithoutStorage) {
  ASSERT_TRUE(lab.take_of_shop("second"));
  const std::size_t before = jobs_so_far();
  cim::Instance wanted;
  wanted.class_name = "Msvm_CollectionSnapshotExportSettingData";
  wanted.set("CopyVmStorage", Value(false));
  wanted.set("DifferentialBackupBase", Value(cim::to_text(nightly())));
  const auto second = path_of_snapshot(lab.store.snapshots()->back().id);
  EXPECT_EQ(code(snapshots("ExportSnapshot", {{"SnapshotCollection", Value(second)},
                                              {"ExportDirectory", Value(lab.target().string())},
                                              {"ExportSettingData", Value(wanted)}})),
            kSnapshotParameter);
  EXPECT_THAT(last_refusal(), HasSubstr("CopyVmStorage"));
  EXPECT_EQ(jobs_so_far(), before);
}

TEST_F(CollectionProvidersTest, ExportsTheConfigurationAloneWhereStorageIsNotWanted) {
  const auto job = ended(export_nightly(
      {{"ExportSettingData", settings("Msvm_CollectionSnapshotExportSettingData", "CopyVmStorage", Value(false))}}));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_TRUE(std::filesystem::exists(lab.target() / "cohort.json"));
  EXPECT_THAT(service::PackageLab::names_in(lab.target() / "Virtual Hard Disks"), SizeIs(0));
}

TEST_F(CollectionProvidersTest, LeavesOutDisksThatCannotBeCapturedWhereThatIsAskedFor) {
  lab.hypervisor.change("web", [](service::FakeMachine& web) {
    web.left_out = {{"sdb", LeftOutReason::kPassThrough, "/dev/x"}};
  });
  const auto take = [&](bool is_ignored) {
    return ended(snapshots("CreateSnapshot",
                           {{"Collection", Value(shop())},
                            {"SnapshotType", Value(std::uint16_t{2})},
                            {"SnapshotSettings", settings("Msvm_VirtualSystemSnapshotSettingData",
                                                          "IgnoreNonSnapshottableDisks", Value(is_ignored))}}));
  };
  EXPECT_EQ(take(false).at("JobState"), state(CimJobState::kException));
  EXPECT_EQ(take(true).at("JobState"), state(CimJobState::kCompleted));
}

TEST_F(CollectionProvidersTest, TakesFullBackupsAndCopiesForTheSameAndNothingElse) {
  const auto take = [&](std::uint8_t type) {
    return snapshots(
        "CreateSnapshot",
        {{"Collection", Value(shop())},
         {"SnapshotType", Value(std::uint16_t{2})},
         {"SnapshotSettings", settings("Msvm_VirtualSystemSnapshotSettingData", "GuestBackupType", Value(type))}});
  };
  EXPECT_EQ(ended(take(2)).at("JobState"), state(CimJobState::kCompleted));
  EXPECT_EQ(code(take(3)), kSnapshotParameter);
  EXPECT_THAT(last_refusal(), HasSubstr("GuestBackupType"));
}

TEST_F(CollectionProvidersTest, ConvertsOnlyRecoverySnapshotsOfUsers) {
  constexpr std::uint32_t kInvalidState = 5;
  Snapshot kept = lab.store.snapshots()->front();
  kept.kept_for = lab.folder.path();
  ASSERT_TRUE(lab.store.update_snapshot(kept));
  const std::size_t before = jobs_so_far();
  const auto convert = [&] {
    return code(snapshots("ConvertToReferencePoint", {{"AffectedSnapshotCollection", Value(nightly())}}));
  };
  EXPECT_EQ(convert(), kInvalidState);
  EXPECT_THAT(last_refusal(), HasSubstr("is kept for the next incremental backup"));
  kept.kept_for.clear();
  kept.kind = SnapshotKind::kStandard;
  ASSERT_TRUE(lab.store.update_snapshot(kept));
  EXPECT_EQ(convert(), kInvalidState);
  EXPECT_THAT(last_refusal(), HasSubstr("is no recovery snapshot"));
  EXPECT_EQ(jobs_so_far(), before);
}

TEST_F(CollectionProvidersTest, ExportsTheDisksThatAreChosenOfAReferencePoint) {
  const cim::Instance point = converted("nightly");
  const auto machines = list(cim::AssociatorsOf{point.path, "Msvm_CollectedReferencePoints"});
  const cim::Instance& web = machines.at(0);
  const cim::Element id = web.at("VirtualDiskIdentifiers").elements().at(1);  // as it was read
  const auto disks = [&](const std::string& name, const Value& wanted) {
    const auto job = ended(export_point(point, name, wanted));
    EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted)) << name;
    return job.at("ExportedDisks").elements();
  };
  const auto one = disks("by id", chosen({{web.at("VirtualSystemIdentifier"), {id}}}));
  ASSERT_THAT(one, SizeIs(1));
  EXPECT_THAT(std::get<std::string>(one[0]), HasSubstr("web-vdb"));
  EXPECT_THAT(disks("whole machine", chosen({{web.at("VirtualSystemIdentifier"), {}}})), SizeIs(2));
  EXPECT_THAT(disks("two machines", chosen({{web.at("VirtualSystemIdentifier"), {id}},
                                            {machines.at(1).at("VirtualSystemIdentifier"), {}}})),
              SizeIs(2));
}

TEST_F(CollectionProvidersTest, RefusesDisksThatAreNotInTheReferencePoint) {
  const cim::Instance point = converted("nightly");
  const auto machines = list(cim::AssociatorsOf{point.path, "Msvm_CollectedReferencePoints"});
  const Value web = machines.at(0).at("VirtualSystemIdentifier");
  const std::size_t before = jobs_so_far();
  const auto refused = [&](const Value& wanted) { return code(export_point(point, "never", wanted)); };
  EXPECT_EQ(refused(chosen({{Value(upper(MachineId::generate().str())), {}}})), kSnapshotParameter);
  EXPECT_THAT(last_refusal(), HasSubstr("has no machine"));
  EXPECT_EQ(refused(chosen({{web, {std::string("vdx")}}})), kSnapshotParameter);
  EXPECT_THAT(last_refusal(), HasSubstr("has no disk vdx"));
  EXPECT_EQ(refused(chosen({{web, {std::string("vda"), cim::Element()}}})), kSnapshotParameter);
  EXPECT_THAT(last_refusal(), HasSubstr("DisksToExport"));
  EXPECT_EQ(refused(chosen({{Value::null(cim::Type::kString), {}}})), kSnapshotParameter);
  EXPECT_EQ(jobs_so_far(), before);
}

TEST_F(CollectionProvidersTest, ExportsAReferencePointAsTheDifferenceFromAnEarlierOne) {
  Snapshot first = lab.store.snapshots()->front();
  first.members[0].disks[0].frozen.path = lab.folder.path() / "frozen.qcow2";
  ASSERT_TRUE(create_file(first.members[0].disks[0].frozen.path, "at the instant"));
  service::stamp_frozen_files(first);
  ASSERT_TRUE(lab.store.update_snapshot(first));
  const cim::Instance earlier = converted("nightly");
  const auto based_on = [](const cim::Instance& base) {
    return settings("Msvm_CollectionReferencePointExportSettingData", "BaseReferencePointCollection",
                    Value(cim::to_text(base.path)));
  };
  EXPECT_EQ(ended(export_point(earlier, "first", {})).at("JobState"), state(CimJobState::kCompleted));
  ASSERT_TRUE(lab.take_of_shop("second"));
  const cim::Instance later = converted("second");
  const auto job = ended(export_point(later, "second", based_on(earlier)));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_EQ(job.at("BaseReferencePointGroupId"), earlier.at("CollectionID"));
  EXPECT_EQ(code(export_point(earlier, "never", based_on(later))), kSnapshotParameter) << "it is later";
}

TEST_F(CollectionProvidersTest, ExportsAReferencePoint) {
  static_cast<void>(ended(snapshots("ConvertToReferencePoint", {{"AffectedSnapshotCollection", Value(nightly())}})));
  const auto points = list(cim::InstancesOf{"Msvm_ReferencePointCollection"});
  ASSERT_THAT(points, SizeIs(1));
  const auto job = ended(of_service(
      "Msvm_CollectionReferencePointService", "ExportReferencePoint",
      {{"ReferencePointCollection", Value(points[0].path)}, {"ExportDirectory", Value(lab.target().string())}}));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_TRUE(std::filesystem::exists(lab.target() / "cohort.json"));
  EXPECT_EQ(job.class_name, "Msvm_CollectionReferencePointExportJob");
  EXPECT_EQ(job.at("ReferencePointGroupId"), points[0].at("CollectionID"));
  EXPECT_EQ(job.at("CollectionId"), *shop().key("CollectionID"));
  EXPECT_EQ(job.at("ExportDirectory"), Value(lab.target().string()));
  EXPECT_TRUE(job.at("BaseReferencePointGroupId").is_null());
  EXPECT_THAT(job.at("VirtualMachineId").elements(), SizeIs(4));
  EXPECT_THAT(job.at("ExportedConfigFilePaths").elements(), SizeIs(4));
  for (const cim::Element& disk : job.at("ExportedDisks").elements()) {
    EXPECT_TRUE(std::filesystem::exists(std::get<std::string>(disk)));
  }
  EXPECT_THAT(list(cim::InstancesOf{"Msvm_CollectionReferencePointExportJob"}), SizeIs(1));
  EXPECT_THAT(list(cim::AssociatorsOf{job.path, "Msvm_AffectedJobElement", "Msvm_ReferencePointCollection"}),
              SizeIs(1));
  const auto owners = list(cim::AssociatorsOf{job.path, "Msvm_OwningJobElement"});
  ASSERT_THAT(owners, SizeIs(1));
  EXPECT_EQ(owners[0].class_name, "Msvm_CollectionReferencePointService");
  EXPECT_EQ(code(call(job.path, "GetErrorEx", {})), kNoError);
  EXPECT_EQ(code(call(job.path, "RequestStateChange", {{"RequestedState", Value(std::uint16_t{4})}})), 4097U);
}

TEST_F(CollectionProvidersTest, ShowsWhatWasMeasuredInTheFence) {
  const auto fences = list(cim::AssociatorsOf{nightly(), "Cohort_FenceOfSnapshot"});
  ASSERT_THAT(fences, SizeIs(1));
  EXPECT_EQ(fences[0].at("IsProven"), Value(lab.store.snapshots()->front().fence.is_proven()));
  const auto pauses = list(cim::AssociatorsOf{fences[0].path, "Cohort_PauseInFence"});
  ASSERT_THAT(pauses, SizeIs(4));
  EXPECT_FALSE(pauses[0].at("Length").is_null()) << "it ran";
  EXPECT_TRUE(pauses[3].at("Length").is_null()) << "it was off";
}

TEST_F(CollectionProvidersTest, ListsVerifiesAndImportsPackages) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  const auto packages = [this](const std::string& method, std::vector<cim::NamedValue> parameters) {
    return of_service("Cohort_PackageService", method, std::move(parameters));
  };
  const Value directory(lab.target().string());
  const auto listed = packages("ListPackages", {{"Folder", Value(lab.folder.path().string())}});
  ASSERT_EQ(code(listed), kNoError);
  ASSERT_THAT(listed.out.at(0).value.elements(), SizeIs(1));
  EXPECT_EQ(code(packages("ListPackages", {{"Folder", Value("/etc")}})), 2U);
  EXPECT_EQ(ended(packages("VerifyPackage", {{"Directory", directory}})).at("JobState"),
            state(CimJobState::kCompleted));
  std::filesystem::remove(lab.target() / "SHA256SUMS");
  const auto broken = ended(packages("VerifyPackage", {{"Directory", directory}}));
  EXPECT_EQ(broken.at("JobState"), state(CimJobState::kException));
  EXPECT_EQ(code(packages("TryPackage", {{"Directory", directory}})), kSnapshotParameter);
  EXPECT_EQ(ended(packages("MergePackage", {{"Directory", directory},
                                            {"NewDirectory", Value((lab.folder.path() / "merged").string())}}))
                .at("JobState"),
            state(CimJobState::kException))
      << "it is no difference";
  EXPECT_EQ(ended(packages("ImportPackage", {{"Directory", directory}})).at("JobState"),
            state(CimJobState::kException));
}

TEST_F(CollectionProvidersTest, ImportsAPackageUnderAPrefix) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  lab.hypervisor.disk_folder = lab.storage();
  const auto job = ended(of_service("Cohort_PackageService", "ImportPackage",
                                    {{"Directory", Value(lab.target().string())}, {"NamePrefix", Value("copy of ")}}));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  const auto made = lab.hypervisor.find_machine("copy of web");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->power, PowerState::kOff) << "nobody said that it is to be started";
  EXPECT_NE(made->id, lab.hypervisor.find_machine("web")->id);
}

TEST_F(CollectionProvidersTest, TriesAPackageForTheTimeThatIsAskedFor) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  lab.control.before("machine try-web", [this] { lab.clock.advance(std::chrono::seconds(10)); });
  const auto job =
      ended(of_service("Cohort_PackageService", "TryPackage",
                       {{"Directory", Value(lab.target().string())}, {"RunFor", Value(std::uint32_t{10})}}));
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kCompleted));
  EXPECT_FALSE(lab.hypervisor.find_machine("try-web")) << "nothing of it is left";
}

TEST_F(CollectionProvidersTest, SaysWhyAJobFailed) {
  lab.control.fail_next("copy", ErrorCode::kNoSpace);
  const auto job = ended(export_nightly());
  EXPECT_EQ(job.at("JobState"), state(CimJobState::kException));
  EXPECT_EQ(job.at("ErrorCode"), Value(std::uint16_t{32768}));
  const auto error = call(job.path, "GetError", {});
  EXPECT_EQ(code(error), kNoError);
  EXPECT_EQ(error.out.at(0).value.instance()->class_name, "Msvm_Error");
  const auto errors = call(job.path, "GetErrorEx", {});
  EXPECT_FALSE(errors.out.at(0).value.elements().empty());
}

TEST_F(CollectionProvidersTest, CancelsAJob) {
  const auto first =
      snapshots("CreateSnapshot", {{"Collection", Value(shop())}, {"SnapshotType", Value(std::uint16_t{2})}});
  const Value terminate(std::uint16_t{4});
  const auto job = ended(first);
  EXPECT_EQ(code(call(job.path, "RequestStateChange", {{"RequestedState", terminate}})), 4097U) << "it has ended";
  EXPECT_EQ(code(call(job.path, "RequestStateChange", {{"RequestedState", Value(std::uint16_t{3})}})), 1U);
  Job waiting = *lab.store.job(*id_in<JobId>(job.path, "InstanceID"));
  waiting.id = JobId::generate();
  waiting.state = JobState::kRunning;
  ASSERT_TRUE(lab.store.add_job(waiting));
  EXPECT_EQ(code(call(path_of_job(waiting), "RequestStateChange", {{"RequestedState", terminate}})), 4096U);
  EXPECT_TRUE(*lab.store.is_cancel_requested(waiting.id));
}

TEST_F(CollectionProvidersTest, TellsAJobThatWasKilledFromOneThatWasTerminated) {
  const auto running = [this] {
    Job job = lab.store.jobs()->front();
    job.id = JobId::generate();
    job.state = JobState::kRunning;
    EXPECT_TRUE(lab.store.add_job(job));
    return job;
  };
  const auto end_of = [this](Job job) {
    EXPECT_TRUE(*lab.store.is_cancel_requested(job.id));
    job.state = JobState::kCancelled;
    job.error = Error{ErrorCode::kCancelled, "Cancelled; what had been begun was taken back.", "", {}};
    EXPECT_TRUE(lab.store.update_job(job));
    return std::get<cim::Objects>(ask(cim::GetInstance{path_of_job(job)})).instances.at(0);
  };
  const auto request = [this](const Job& job, std::uint16_t wanted, Value timeout = {}) {
    return code(call(path_of_job(job), "RequestStateChange",
                     {{"RequestedState", Value(wanted)}, {"TimeoutPeriod", std::move(timeout)}}));
  };
  const auto kill = [this](const Job& job, bool is_to_delete) {
    return code(call(path_of_job(job), "KillJob", {{"DeleteOnKill", Value(is_to_delete)}}));
  };
  constexpr std::uint16_t kTerminate = 4;
  constexpr std::uint16_t kKill = 5;
  const Job first = running();
  EXPECT_EQ(request(first, kTerminate), 4096U);
  const cim::Instance terminated = end_of(first);
  EXPECT_EQ(terminated.at("JobState"), state(CimJobState::kTerminated));
  EXPECT_EQ(terminated.at("ErrorCode"), Value(std::uint16_t{32768}));
  const auto error = call(path_of_job(first), "GetError", {});
  EXPECT_EQ(error.out.at(0).value.instance()->at("MessageID"), Value("cancelled"));

  const Job second = running();
  EXPECT_EQ(request(second, kKill, Value(cim::Datetime::interval(std::chrono::seconds(9)))), 4098U);
  EXPECT_EQ(request(second, 99), 5U);
  EXPECT_FALSE(*lab.store.is_cancel_requested(second.id));
  EXPECT_EQ(request(second, kKill, Value(cim::Datetime::interval({}))), 4096U) << "no time is no requirement";
  EXPECT_EQ(end_of(second).at("JobState"), state(CimJobState::kKilled));

  const Job third = running();
  EXPECT_EQ(kill(third, true), 1U);
  EXPECT_EQ(kill(third, false), kNoError);
  EXPECT_EQ(end_of(third).at("JobState"), state(CimJobState::kKilled));
  EXPECT_EQ(kill(third, false), 4U) << "it has ended";
}

TEST_F(CollectionProvidersTest, SaysWhatEachJobIs) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  const auto job =
      ended(of_service("Cohort_PackageService", "VerifyPackage", {{"Directory", Value(lab.target().string())}}));
  EXPECT_EQ(job.at("Caption"), Value("Verify Package"));
  EXPECT_EQ(job.at("ElementName"), Value("Verify Package"));
}

TEST_F(CollectionProvidersTest, LetsReadersLookAndOperatorsTakeButNotGoBack) {
  caller.right = Right::kLook;
  const cim::InvokeMethod take{path_of_service("Msvm_CollectionSnapshotService", "host.example"), "CreateSnapshot", {}};
  const cim::InvokeMethod apply{take.path, "ApplySnapshot", {}};
  const auto is_denied = [this](const cim::InvokeMethod& what) {
    const auto response = ask(what);
    const auto* failed = std::get_if<cim::OperationFailed>(&response);
    return failed != nullptr && failed->status == cim::Status::kAccessDenied;
  };
  EXPECT_TRUE(is_denied(take));
  EXPECT_FALSE(list(cim::InstancesOf{"Msvm_SnapshotCollection"}).empty());
  caller.right = Right::kOperate;
  EXPECT_FALSE(is_denied(take));
  EXPECT_TRUE(is_denied(apply));
}

TEST_F(CollectionProvidersTest, AnswersWhatIsNotOfferedWithNotSupported) {
  EXPECT_EQ(code(snapshots("ApplySnapshot", {{"SnapshotCollection", Value(nightly())}})), 1U) << "no standard snapshot";
  EXPECT_EQ(code(of_service("Msvm_CollectionReferencePointService", "RemoveAssociatedData", {})), 1U);
  EXPECT_EQ(code(snapshots("StartService", {})), 1U);
}

}  // namespace
}  // namespace cohort::provider
