#include "service/import_package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "package/layout.h"
#include "package/manifest.h"
#include "service/import_plan.h"
#include "service/testing/package_lab.h"

namespace cohort::service {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A package of the shop lies at target().
void prepare(PackageLab& lab) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  lab.control.clear();
}

class ImportPackageTest : public ::testing::Test {
 protected:
  ImportPackageTest() {
    prepare(lab);
    before = lab.hypervisor.describe();
  }

  void expect_nothing_made(const std::vector<std::string>& storage = {}) {
    EXPECT_EQ(lab.hypervisor.describe(), before);
    EXPECT_EQ(PackageLab::names_in(lab.storage()), storage);
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }

  void expect_refused(const ImportRequest& request, ErrorCode code, const std::string& words) {
    const auto imported = lab.run_import(request);
    ASSERT_FALSE(imported);
    EXPECT_EQ(imported.error().code, code) << imported.error().describe();
    EXPECT_THAT(imported.error().describe(), HasSubstr(words));
  }

  // As after a loss: the machines of the package are gone.
  void lose_all_machines() {
    for (const auto* name : {"web", "database", "cache", "archive"}) lab.hypervisor.remove_machine(name);
    before = lab.hypervisor.describe();
  }

  [[nodiscard]] ImportRequest keeping_ids() const {
    ImportRequest request = lab.import_request();
    request.name_prefix.clear();
    request.keep_ids = true;
    return request;
  }

  void overwrite(const std::string& file, const std::string& content) {
    std::ofstream(lab.target() / file, std::ios::binary | std::ios::trunc) << content;
  }

  PackageLab lab;
  std::string before;
};

TEST_F(ImportPackageTest, MakesEveryMachineUnderANewNameAndUuid) {
  const auto imported = lab.run_import(lab.import_request());
  ASSERT_TRUE(imported) << imported.error().describe();
  ASSERT_THAT(imported->machines, SizeIs(4));
  const auto original = lab.hypervisor.find_machine("web").value();
  const auto copy = lab.hypervisor.find_machine("copy of web").value();
  EXPECT_NE(copy.id, original.id);
  EXPECT_EQ(copy.id, imported->machines[0].id);
  EXPECT_EQ(copy.power, PowerState::kOff);
  EXPECT_EQ(imported->machines[0].original_name, "web");
  EXPECT_FALSE(imported->machines[0].started);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(ImportPackageTest, PutsDisksAndNvramIntoTheFolder) {
  ASSERT_TRUE(lab.run_import(lab.import_request()));
  EXPECT_THAT(PackageLab::names_in(lab.storage()),
              ElementsAre("copy of archive-vda.raw", "copy of cache-vda.raw", "copy of database-vda.raw",
                          "copy of web-vda.raw", "copy of web-vdb.raw", "copy of web_VARS.fd"));
  EXPECT_EQ(lab.hypervisor.active_file("copy of web", "vdb"), lab.storage() / "copy of web-vdb.raw");
  EXPECT_EQ(read_file(lab.storage() / "copy of web_VARS.fd", 100).value(), "variables");
  EXPECT_EQ(read_file(lab.storage() / "copy of archive-vda.raw", 9999).value(),
            read_file(lab.target() / package::disk_file("archive", "vda", "raw"), 9999).value());
}

TEST_F(ImportPackageTest, PutsTpmStateInPlaceBeforeTheMachineIsDefined) {
  const auto imported = lab.run_import(lab.import_request());
  ASSERT_TRUE(imported);
  EXPECT_EQ(read_file(lab.hypervisor.tpm_state_folder(imported->machines[0].id) / "tpm2/permall", 100).value(), "seed");
  EXPECT_LT(lab.control.first("write_tpm_state"), lab.control.first("define_machine copy of web"));
}

TEST_F(ImportPackageTest, UsesTheDefaultFolderWhenNoneIsNamed) {
  lab.hypervisor.disk_folder = lab.folder.path() / "default";
  ASSERT_TRUE(make_directories(lab.hypervisor.disk_folder));
  auto request = lab.import_request();
  request.storage.clear();
  ASSERT_TRUE(lab.run_import(request));
  EXPECT_EQ(lab.hypervisor.active_file("copy of web", "vda").parent_path(), lab.hypervisor.disk_folder);
}

TEST_F(ImportPackageTest, GivesNamesThatAreAskedForAndThePrefixToTheOthers) {
  auto request = lab.import_request();
  request.names = {{"web", "shop front"}};
  ASSERT_TRUE(lab.run_import(request));
  EXPECT_TRUE(lab.hypervisor.find_machine("shop front"));
  EXPECT_TRUE(lab.hypervisor.find_machine("copy of database"));
  EXPECT_FALSE(lab.hypervisor.find_machine("copy of web"));
}

TEST_F(ImportPackageTest, KeepsNamesAndUuidsForDisasterRecovery) {
  const auto original = lab.hypervisor.find_machine("web").value();
  lose_all_machines();
  const auto imported = lab.run_import(keeping_ids());
  ASSERT_TRUE(imported) << imported.error().describe();
  EXPECT_EQ(lab.hypervisor.find_machine("web")->id, original.id);
}

TEST_F(ImportPackageTest, StartsTheMachinesWhenAllAreDefined) {
  auto request = lab.import_request();
  request.start = true;
  const auto imported = lab.run_import(request);
  ASSERT_TRUE(imported);
  EXPECT_TRUE(imported->machines[3].started);
  EXPECT_EQ(lab.hypervisor.power("copy of archive"), PowerState::kRunning);
  EXPECT_LT(lab.control.last("define_machine"), lab.control.first("start"));
}

TEST_F(ImportPackageTest, PlanShowsNamesAndPlacesAndChangesNothing) {
  lab.copier.estimate(1000);
  const auto plan = lab.importer.plan(lab.import_request());
  ASSERT_TRUE(plan) << plan.error().describe();
  ASSERT_THAT(plan->machines, SizeIs(4));
  EXPECT_EQ(plan->machines[0].name, "copy of web");
  EXPECT_TRUE(plan->machines[0].id.is_nil());
  EXPECT_EQ(plan->machines[0].bytes, 2000U);
  EXPECT_EQ(plan->estimated_bytes, 5000U);
  expect_nothing_made();
}

// --- refusals ---

TEST_F(ImportPackageTest, RefusesWhatIsNoPackageAndWhatHasNoDisks) {
  auto request = lab.import_request();
  request.directory = lab.storage();
  expect_refused(request, ErrorCode::kNotFound, "not a package");
  auto without = lab.export_request();
  without.directory = lab.folder.path() / "configurations";
  without.no_storage = true;
  ASSERT_TRUE(lab.run_export(without));
  request.directory = without.directory;
  expect_refused(request, ErrorCode::kInvalidState, "--no-storage");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesAPackageThatIsNotWhole) {
  overwrite(package::disk_file("archive", "vda", "raw"), std::string(FakeDiskCopier::kVirtualSize, 'x'));
  expect_refused(lab.import_request(), ErrorCode::kCorrupt, "is not whole");
  EXPECT_EQ(lab.control.count("copy"), 0U);
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesADiskThatThePackageNeitherHoldsNorNamesAsLeftOut) {
  lab.hypervisor.outlined_disks = {"vda", "vdz"};
  expect_refused(lab.import_request(), ErrorCode::kCorrupt, "has the disk vdz");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesNamesThatAreTaken) {
  auto request = lab.import_request();
  request.name_prefix.clear();
  expect_refused(request, ErrorCode::kAlreadyExists, "named \"web\"");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesUuidsThatAreTaken) {
  ImportRequest request = keeping_ids();
  request.name_prefix = "copy of ";
  expect_refused(request, ErrorCode::kAlreadyExists, "with the UUID");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesFilesThatAreInTheWay) {
  ASSERT_TRUE(create_file(lab.storage() / "copy of web-vdb.raw", "precious"));
  expect_refused(lab.import_request(), ErrorCode::kAlreadyExists, "copy of web-vdb.raw");
  EXPECT_EQ(read_file(lab.storage() / "copy of web-vdb.raw", 100).value(), "precious");
  ASSERT_TRUE(remove_file(lab.storage() / "copy of web-vdb.raw"));
  ASSERT_TRUE(create_file(lab.storage() / "copy of web_VARS.fd", "precious"));
  expect_refused(lab.import_request(), ErrorCode::kAlreadyExists, "copy of web_VARS.fd");
  expect_nothing_made({"copy of web_VARS.fd"});
}

TEST_F(ImportPackageTest, RefusesNamesThatCannotBe) {
  auto request = lab.import_request();
  request.name_prefix = "a/";
  expect_refused(request, ErrorCode::kInvalidArgument, "a/web");
  request = lab.import_request();
  request.names = {{"web", "same"}, {"cache", "same"}};
  expect_refused(request, ErrorCode::kInvalidArgument, "Two machines");
  request.names = {{"nobody", "somebody"}};
  expect_refused(request, ErrorCode::kNotFound, "nobody");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesAMissingFolderAndTooLittleSpace) {
  auto request = lab.import_request();
  request.storage = lab.folder.path() / "nowhere";
  expect_refused(request, ErrorCode::kNotFound, "nowhere");
  lab.copier.estimate(1ULL << 60U);
  expect_refused(lab.import_request(), ErrorCode::kNoSpace, "nothing was written");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesAConfigurationThatReachesForTheHostOrIsAnothers) {
  const auto manifest = package::read_manifest(lab.target()).value();
  const std::string file = manifest.machines[1].configuration.file;
  overwrite(file, manifest.machines[1].id.str() + " database forbidden");
  expect_refused(lab.import_request(), ErrorCode::kUnsupported, "database");
  overwrite(file, manifest.machines[0].id.str() + " web");
  expect_refused(lab.import_request(), ErrorCode::kCorrupt, "database");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, AcceptsWhatTheUserTrusts) {
  const auto manifest = package::read_manifest(lab.target()).value();
  auto request = lab.import_request();
  request.trusted = {RefusalKind::kHostDevice};
  overwrite(manifest.machines[1].configuration.file, manifest.machines[1].id.str() + " database forbidden");
  // It goes on to the next check: that this is not the configuration that was exported.
  expect_refused(request, ErrorCode::kCorrupt, "database");
}

TEST_F(ImportPackageTest, RefusesFilesThatChangeAfterTheVerification) {
  const auto manifest = package::read_manifest(lab.target()).value();
  const std::vector<std::string> files{manifest.machines[3].configuration.file, manifest.machines[0].nvram->file,
                                       manifest.machines[0].tpm_state[0].file};
  for (const auto& file : files) {
    const std::string content = read_file(lab.target() / file, 1000).value();
    lab.control.before("copy", [&] { overwrite(file, content + " "); });
    expect_refused(lab.import_request(), ErrorCode::kCorrupt, "has changed since");
    expect_nothing_made();
    overwrite(file, content);
    lab.control.clear();
  }
}

TEST_F(ImportPackageTest, RefusesADiskThatChangesAfterTheVerification) {
  const std::string file = package::disk_file("cache", "vda", "raw");
  lab.control.before("copy_file", [&] { overwrite(file, std::string(FakeDiskCopier::kVirtualSize, 'x')); });
  expect_refused(lab.import_request(), ErrorCode::kCorrupt, file + "\" has changed since");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesADiskThatBecomesALink) {
  const std::string file = package::disk_file("cache", "vda", "raw");
  lab.control.before("copy_file", [&] {
    std::filesystem::rename(lab.target() / file, lab.folder.path() / "elsewhere");
    std::filesystem::create_symlink(lab.folder.path() / "elsewhere", lab.target() / file);
  });
  expect_refused(lab.import_request(), ErrorCode::kCorrupt, "is a link");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, CallsAPackageThatLacksAFileNotWhole) {
  const auto manifest = package::read_manifest(lab.target()).value();
  for (const auto& file : {manifest.machines[0].configuration.file, manifest.machines[0].disks[0].file.file}) {
    std::filesystem::rename(lab.target() / file, lab.folder.path() / "elsewhere");
    expect_refused(lab.import_request(), ErrorCode::kCorrupt, "is not whole");
    EXPECT_EQ(lab.importer.plan(lab.import_request()).error().code, ErrorCode::kCorrupt);
    std::filesystem::rename(lab.folder.path() / "elsewhere", lab.target() / file);
  }
  expect_nothing_made();
}

TEST_F(ImportPackageTest, RefusesAHypervisorWhoseDisksAreElsewhere) {
  lab.hypervisor.info.can_snapshot = false;
  expect_refused(lab.import_request(), ErrorCode::kUnsupported, "another host");
  EXPECT_EQ(lab.importer.plan(lab.import_request()).error().code, ErrorCode::kUnsupported);
  expect_nothing_made();
}

// --- what belongs to somebody else is never taken back ---

TEST_F(ImportPackageTest, LeavesTpmStateThatIsThereAlready) {
  const auto web = lab.hypervisor.find_machine("web").value();
  lose_all_machines();
  const Path state = lab.hypervisor.tpm_state_folder(web.id) / "tpm2/permall";
  ASSERT_TRUE(make_directories(state.parent_path()));
  ASSERT_TRUE(create_file(state, "precious"));
  expect_refused(keeping_ids(), ErrorCode::kAlreadyExists, "TPM state");
  EXPECT_EQ(read_file(state, 100).value(), "precious");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, LeavesTpmStateThatAppearsMeanwhile) {
  const auto web = lab.hypervisor.find_machine("web").value();
  lose_all_machines();
  const Path state = lab.hypervisor.tpm_state_folder(web.id) / "tpm2/permall";
  lab.control.before("copy", [&] {
    ASSERT_TRUE(make_directories(state.parent_path()));
    ASSERT_TRUE(create_file(state, "precious"));
  });
  expect_refused(keeping_ids(), ErrorCode::kAlreadyExists, "TPM state");
  EXPECT_EQ(read_file(state, 100).value(), "precious");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, LeavesFilesThatAppearMeanwhile) {
  for (const auto* name : {"copy of cache-vda.raw", "copy of web_VARS.fd"}) {
    lab.control.before("copy", [&] { ASSERT_TRUE(create_file(lab.storage() / name, "precious")); });
    expect_refused(lab.import_request(), ErrorCode::kAlreadyExists, name);
    EXPECT_EQ(read_file(lab.storage() / name, 100).value(), "precious");
    expect_nothing_made({name});
    ASSERT_TRUE(remove_file(lab.storage() / name));
    lab.control.clear();
  }
}

TEST_F(ImportPackageTest, LeavesAMachineThatAppearsMeanwhile) {
  const auto database = lab.hypervisor.find_machine("database").value();
  lose_all_machines();
  lab.control.before("copy", [&] {
    FakeMachine machine;
    machine.summary = database;
    lab.hypervisor.add_machine(machine);
  });
  expect_refused(keeping_ids(), ErrorCode::kAlreadyExists, "\"database\"");
  EXPECT_TRUE(lab.hypervisor.machine(database.id));
  EXPECT_THAT(PackageLab::names_in(lab.storage()), IsEmpty());
}

// --- what somebody has taken into use is not taken back ---

// The process dies when it is about to make the second machine; the first is there.
class ImportRecoveryTest : public ImportPackageTest {
 protected:
  void die_at(const std::string& call, bool start = false) {
    lab.control.before(call, [&] { lab.control.die(); });
    auto request = lab.import_request();
    request.start = start;
    static_cast<void>(lab.run_import(request));
    lab.control.clear();
  }
  void expect_web_stays(const std::string& reason) {
    const auto report = lab.run_recover();
    ASSERT_TRUE(report);
    ASSERT_THAT(report->failures, SizeIs(1));
    EXPECT_THAT(report->failures[0], HasSubstr("\"copy of web\""));
    EXPECT_THAT(report->failures[0], HasSubstr(reason));
    EXPECT_THAT(report->failures[0], HasSubstr("copy of web-vdb.raw"));
    EXPECT_TRUE(lab.hypervisor.find_machine("copy of web"));
    EXPECT_THAT(PackageLab::names_in(lab.storage()),
                ElementsAre("copy of web-vda.raw", "copy of web-vdb.raw", "copy of web_VARS.fd"));
    EXPECT_THAT(PackageLab::names_in(lab.folder.path() / "tpm"), SizeIs(1));
    EXPECT_THAT(lab.left_open(), IsEmpty()) << "it is given up: nobody is told of it again and again";
  }
  void append_to(const std::string& name) {
    std::ofstream(lab.storage() / name, std::ios::app) << "written by a guest";
  }
};

TEST_F(ImportRecoveryTest, TakesBackAMachineThatNobodyHasUsed) {
  die_at("define_machine copy of database");
  const auto report = lab.run_recover();
  ASSERT_TRUE(report);
  EXPECT_THAT(report->failures, IsEmpty());
  EXPECT_THAT(report->actions, Contains("The machine \"copy of web\" was removed."));
  expect_nothing_made();
}

TEST_F(ImportRecoveryTest, LeavesAMachineThatRuns) {
  die_at("define_machine copy of database");
  lab.hypervisor.set_power("copy of web", PowerState::kRunning);
  expect_web_stays("not the import that started it");
  EXPECT_EQ(lab.hypervisor.power("copy of web"), PowerState::kRunning);
}

TEST_F(ImportRecoveryTest, LeavesAMachineThatHasRun) {
  die_at("define_machine copy of database");
  append_to("copy of web-vdb.raw");
  expect_web_stays("disks were changed");
}

TEST_F(ImportRecoveryTest, LeavesAMachineThatStandsOnOtherDisks) {
  die_at("define_machine copy of database");
  lab.hypervisor.change("copy of web", [](FakeMachine& web) { web.disks["vdb"] = "/overlay"; });
  expect_web_stays("other disks");
}

TEST_F(ImportRecoveryTest, LeavesAMachineThatSomebodyElseHasDefined) {
  die_at("define_machine copy of database");
  lab.hypervisor.change("copy of web", [](FakeMachine& web) { web.mark.clear(); });
  expect_web_stays("not the one that the job defined");
}

TEST_F(ImportRecoveryTest, LeavesAMachineThatRunsWhenTheImportFails) {
  lab.control.fail_next("define_machine copy of database", ErrorCode::kHypervisor);
  lab.control.before("define_machine copy of database",
                     [&] { lab.hypervisor.set_power("copy of web", PowerState::kRunning); });
  expect_refused(lab.import_request(), ErrorCode::kHypervisor, "The machine \"copy of web\" was not removed");
  EXPECT_EQ(lab.hypervisor.power("copy of web"), PowerState::kRunning);
  EXPECT_TRUE(std::filesystem::exists(lab.storage() / "copy of web-vda.raw"));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(ImportRecoveryTest, StopsWhatTheImportItselfHasStarted) {
  die_at("start copy of database", true);
  ASSERT_EQ(lab.hypervisor.power("copy of web"), PowerState::kRunning);
  append_to("copy of web-vdb.raw");
  ASSERT_TRUE(lab.run_recover());
  expect_nothing_made();
}

TEST_F(ImportRecoveryTest, StopsItAlsoWhenTheFirstRecoveryDidNotGetThatFar) {
  for (const auto* call : {"stop copy of web", "undefine_machine copy of web"}) {
    SCOPED_TRACE(call);
    die_at("start copy of database", true);
    append_to("copy of web-vdb.raw");
    lab.control.fail_next(call, ErrorCode::kHypervisor);
    const auto report = lab.run_recover();
    ASSERT_TRUE(report);
    EXPECT_THAT(report->failures, SizeIs(1));
    EXPECT_TRUE(std::filesystem::exists(lab.storage() / "copy of web-vdb.raw")) << "the machine needs it";
    ASSERT_TRUE(lab.run_recover());
    expect_nothing_made();
    lab.control.clear();
  }
}

TEST_F(ImportRecoveryTest, KeepsTheFilesOfAMachineThatCannotBeAskedAbout) {
  die_at("define_machine copy of database");
  lab.control.fail_next("defined_machine copy of web", ErrorCode::kHypervisor);
  ASSERT_TRUE(lab.run_recover());
  EXPECT_TRUE(std::filesystem::exists(lab.storage() / "copy of web-vda.raw"));
  ASSERT_TRUE(lab.run_recover());
  expect_nothing_made();
}

TEST_F(ImportRecoveryTest, GivesAMachineUpAlsoWhenItsProcessDiesMeanwhile) {
  die_at("define_machine copy of database");
  lab.hypervisor.set_power("copy of web", PowerState::kRunning);
  lab.control.before("defined_machine copy of web", [&] { lab.control.die(); });
  static_cast<void>(lab.run_recover());
  lab.control.clear();
  expect_web_stays("not the import that started it");
}

TEST_F(ImportRecoveryTest, SaysOfNothingThatItWasRemovedThatWasNotThere) {
  die_at("copy");
  const auto report = lab.run_recover();
  ASSERT_TRUE(report);
  EXPECT_THAT(report->actions, IsEmpty());
  expect_nothing_made();
}

// --- failures: all machines, or none ---

TEST_F(ImportPackageTest, TakesBackInReverseOrder) {
  lab.control.fail_next("define_machine copy of database", ErrorCode::kHypervisor);
  lab.control.before("undefine_machine copy of web", [&] {
    EXPECT_TRUE(std::filesystem::exists(lab.storage() / "copy of web-vda.raw")) << "the files go after the machine";
  });
  expect_refused(lab.import_request(), ErrorCode::kHypervisor, "define_machine");
  EXPECT_EQ(lab.control.count("undefine_machine"), 1U);
  expect_nothing_made();
}

TEST_F(ImportPackageTest, TakesAllBackWhenOneDoesNotStart) {
  auto request = lab.import_request();
  request.start = true;
  lab.control.fail_next("start copy of archive", ErrorCode::kHypervisor);
  expect_refused(request, ErrorCode::kHypervisor, "start");
  expect_nothing_made();
}

TEST_F(ImportPackageTest, TakesAllBackWhenCancelled) {
  for (const auto* at : {"copy", "define_machine copy of cache", "start copy of database"}) {
    SCOPED_TRACE(at);
    std::stop_source cancel;
    lab.control.before(at, [&] { cancel.request_stop(); });
    auto request = lab.import_request();
    request.start = true;
    const auto imported = lab.run_import(request, {cancel.get_token(), {}});
    ASSERT_FALSE(imported);
    EXPECT_EQ(imported.error().code, ErrorCode::kCancelled);
    expect_nothing_made();
  }
}

void expect_all_or_nothing(PackageLab& world, bool has_imported, const std::string& before) {
  EXPECT_THAT(world.left_open(), IsEmpty());
  if (has_imported) {
    EXPECT_TRUE(world.hypervisor.find_machine("copy of archive"));
    return;
  }
  EXPECT_EQ(world.hypervisor.describe().size(), before.size());
  EXPECT_FALSE(world.hypervisor.find_machine("copy of web"));
  EXPECT_THAT(PackageLab::names_in(world.storage()), IsEmpty());
  EXPECT_THAT(PackageLab::names_in(world.folder.path() / "tpm"), IsEmpty());
}

TEST_F(ImportPackageTest, MakesAllOrNothingWhateverFailsAndWhereverItsProcessDied) {
  for (std::size_t number = 1;; ++number) {
    PackageLab world;
    prepare(world);
    auto request = world.import_request();
    request.start = true;
    const bool dies = number % 2 == 0;
    if (dies) {
      world.control.die_at(number);
    } else {
      world.control.fail_at(number, false);
    }
    static_cast<void>(world.run_import(request));
    const auto calls = world.control.calls();
    if (number > calls.size()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    world.control.clear();
    const bool has_imported =
        world.newest_job().type == JobType::kImport && world.newest_job().state == JobState::kCompleted;
    ASSERT_TRUE(world.run_recover());
    expect_all_or_nothing(world, has_imported, before);
  }
}

}  // namespace
}  // namespace cohort::service
