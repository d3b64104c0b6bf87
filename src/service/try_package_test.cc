#include "service/try_package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "package/layout.h"
#include "package/manifest.h"
#include "service/testing/package_lab.h"

namespace cohort::service {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// A package of the shop (web with two disks, NVRAM and a TPM; database, cache, archive) lies at target().
void prepare(PackageLab& lab) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  lab.control.clear();
}

class TryPackageTest : public ::testing::Test {
 protected:
  TryPackageTest() {
    prepare(lab);
    before = lab.hypervisor.describe();
    package_before = package_state();
  }

  [[nodiscard]] TryRequest request() const {
    TryRequest request;
    request.directory = lab.target();
    return request;
  }
  // Ends as soon as all agents have answered.
  [[nodiscard]] TryRequest with_agents() const {
    TryRequest wanted = request();
    wanted.agent_patience = Milliseconds(5000);
    return wanted;
  }

  // Everything of the package's files but when they were read.
  [[nodiscard]] std::map<std::string, std::string> package_state() const {
    std::map<std::string, std::string> state;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(lab.target())) {
      struct stat info {};
      EXPECT_EQ(::lstat(entry.path().c_str(), &info), 0);
      state[entry.path().string()] =
          fmt::format("{} {} {} {} {}.{} {}.{}", info.st_ino, info.st_mode, info.st_uid, info.st_size,
                      info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
    }
    return state;
  }

  void expect_nothing_left() {
    EXPECT_EQ(lab.hypervisor.describe(), before);
    EXPECT_THAT(lab.hypervisor.networks, IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(lab.kept.tries_folder()));
    EXPECT_THAT(PackageLab::names_in(lab.folder.path() / "tpm"), IsEmpty());
    EXPECT_THAT(PackageLab::names_in(lab.storage()), IsEmpty());
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }

  void expect_refused(const TryRequest& wanted, ErrorCode code, const std::string& words) {
    const auto tried = lab.run_try(wanted);
    ASSERT_FALSE(tried);
    EXPECT_EQ(tried.error().code, code) << tried.error().describe();
    EXPECT_THAT(tried.error().describe(), HasSubstr(words));
    expect_nothing_left();
  }

  // In a try that runs.
  Result<TryReport> tried(const TryRequest& wanted, const std::function<void(const TryReport&)>& while_running) {
    return lab.run_try(wanted, {}, while_running);
  }

  // Each look of the try at this machine takes so long.
  void let_looks_last(const std::string& name, Milliseconds each, int looks) {
    for (int i = 0; i < looks; ++i) lab.control.before("machine " + name, [this, each] { lab.clock.advance(each); });
  }

  PackageLab lab;
  std::string before;
  std::map<std::string, std::string> package_before;
};

TEST_F(TryPackageTest, RunsEveryMachineUnderAMarkedNameUntilItsAgentAnswers) {
  std::vector<std::string> names;
  const auto report = tried(with_agents(), [&](const TryReport& running) {
    for (const auto& machine : running.machines) {
      names.push_back(machine.name);
      EXPECT_EQ(lab.hypervisor.power(machine.name), PowerState::kRunning);
      EXPECT_EQ(lab.hypervisor.find_machine(machine.name)->id, machine.id);
    }
  });
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_THAT(names, ElementsAre("try-web", "try-database", "try-cache", "try-archive"));
  ASSERT_THAT(report->machines, SizeIs(4));
  for (const auto& machine : report->machines) {
    EXPECT_TRUE(machine.agent_after) << machine.name;
    EXPECT_FALSE(machine.end) << machine.name;
  }
  EXPECT_EQ(report->machines[0].disks.at(1).file.path, lab.target() / package::disk_file("web", "vdb", "raw"));
  EXPECT_EQ(lab.newest_job().type, JobType::kTry);
  EXPECT_EQ(lab.newest_job().state, JobState::kCompleted);
  expect_nothing_left();
}

TEST_F(TryPackageTest, ChangesNothingOfThePackage) {
  ASSERT_TRUE(tried(with_agents(), {}));
  EXPECT_EQ(package_state(), package_before);
}

TEST_F(TryPackageTest, LetsThemWriteToOverlaysOfItsOwn) {
  const auto report = tried(with_agents(), [&](const TryReport& running) {
    const Path overlay = lab.hypervisor.active_file("try-web", "vdb");
    EXPECT_TRUE(overlay.string().starts_with(lab.kept.tries_folder().string()));
    EXPECT_THAT(PackageLab::names_in(overlay.parent_path()),
                ElementsAre("try-archive-vda.qcow2", "try-cache-vda.qcow2", "try-database-vda.qcow2",
                            "try-web-vda.qcow2", "try-web-vdb.qcow2", "try-web_VARS.fd"));
    EXPECT_EQ(read_file(lab.hypervisor.tpm_state_folder(running.machines[0].id) / "tpm2/permall", 100).value(), "seed");
  });
  ASSERT_TRUE(report);
  expect_nothing_left();
}

TEST_F(TryPackageTest, UsesTheFolderThatIsAskedFor) {
  auto wanted = with_agents();
  wanted.scratch = lab.storage();
  ASSERT_TRUE(tried(wanted, [&](const TryReport&) {
    EXPECT_EQ(lab.hypervisor.active_file("try-web", "vda").parent_path().parent_path(), lab.storage());
  }));
  expect_nothing_left();
}

TEST_F(TryPackageTest, LetsNoGuestRunBeforeAllAreReady) {
  ASSERT_TRUE(tried(with_agents(), {}));
  EXPECT_LT(lab.control.last("start_throwaway"), lab.control.first("resume"));
  EXPECT_LT(lab.control.first("watch_ends"), lab.control.first("resume")) << "else an end could be missed";
}

TEST_F(TryPackageTest, TriesOnlyTheMachinesThatAreNamed) {
  auto wanted = with_agents();
  wanted.machines = {"cache", "web"};
  const auto report = tried(wanted, {});
  ASSERT_TRUE(report);
  ASSERT_THAT(report->machines, SizeIs(2));
  EXPECT_EQ(report->machines[0].original_name, "web");
  EXPECT_EQ(report->machines[1].original_name, "cache");
  wanted.machines = {"nobody"};
  expect_refused(wanted, ErrorCode::kNotFound, "nobody");
}

TEST_F(TryPackageTest, CountsOnWhereANameIsTaken) {
  lab.add_machine("try-web", PowerState::kRunning);
  lab.add_machine("try-web-2", PowerState::kOff);
  before = lab.hypervisor.describe();
  const auto report = tried(with_agents(), {});
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->machines[0].name, "try-web-3");
  expect_nothing_left();
}

TEST_F(TryPackageTest, AttachesTheMachinesToNothingUnlessItIsAsked) {
  ASSERT_TRUE(tried(with_agents(), [&](const TryReport&) {
    EXPECT_THAT(lab.hypervisor.networks, IsEmpty());
    lab.hypervisor.change("try-web", [](FakeMachine& web) { EXPECT_EQ(web.network, ""); });
  }));
}

TEST_F(TryPackageTest, JoinsTheMachinesInANetworkOfTheirOwn) {
  auto wanted = with_agents();
  wanted.network = TryNetwork::kIsolated;
  ASSERT_TRUE(tried(wanted, [&](const TryReport&) {
    ASSERT_THAT(lab.hypervisor.networks, SizeIs(1));
    for (const auto* name : {"try-web", "try-cache"}) {
      lab.hypervisor.change(
          name, [&](FakeMachine& each) { EXPECT_EQ(each.network, lab.hypervisor.networks.begin()->second); });
    }
  }));
  expect_nothing_left();
}

TEST_F(TryPackageTest, MakesNothingWhereThereCanBeNoNetwork) {
  auto wanted = with_agents();
  wanted.network = TryNetwork::kIsolated;
  lab.control.fail_next("create_isolated_network", ErrorCode::kHypervisor);
  expect_refused(wanted, ErrorCode::kHypervisor, "create_isolated_network");
  EXPECT_EQ(lab.control.count("create_overlay"), 0U);
}

TEST_F(TryPackageTest, PlanShowsNamesAndPlacesAndChangesNothing) {
  const auto plan = lab.trial.plan(request());
  ASSERT_TRUE(plan) << plan.error().describe();
  ASSERT_THAT(plan->machines, SizeIs(4));
  EXPECT_EQ(plan->machines[0].name, "try-web");
  EXPECT_TRUE(plan->machines[0].id.is_nil());
  EXPECT_EQ(plan->scratch, lab.kept.tries_folder());
  expect_nothing_left();
}

// --- how it ends ---

TEST_F(TryPackageTest, RunsForTheTimeThatIsAskedFor) {
  auto wanted = request();
  wanted.run_for = Milliseconds(3000);
  let_looks_last("try-web", Milliseconds(1000), 3);
  const auto report = tried(wanted, {});
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_GE(report->ran, Milliseconds(3000));
  EXPECT_EQ(lab.control.count("agent_answers"), 0U);
  expect_nothing_left();
}

TEST_F(TryPackageTest, GoesOnForTheTimeAfterTheAgentsHaveAnswered) {
  auto wanted = with_agents();
  wanted.run_for = Milliseconds(2000);
  let_looks_last("try-web", Milliseconds(1500), 3);  // the first before the agents are asked
  const auto report = tried(wanted, {});
  ASSERT_TRUE(report);
  EXPECT_GE(report->ran, Milliseconds(4500));
  EXPECT_LT(lab.control.last("agent_answers"), lab.control.last("machine try-web"));
}

TEST_F(TryPackageTest, EndsWellWhenAStopIsRequestedOfOneWithoutAnEnd) {
  std::stop_source cancel;
  const auto report =
      lab.run_try(request(), {cancel.get_token(), {}}, [&](const TryReport&) { cancel.request_stop(); });
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(lab.newest_job().state, JobState::kCompleted);
  expect_nothing_left();
}

TEST_F(TryPackageTest, IsCancelledByAStopBeforeItsEnd) {
  for (auto wanted : {with_agents(), request()}) {
    std::stop_source cancel;
    if (!wanted.agent_patience) wanted.run_for = Milliseconds(60'000);
    const auto report = lab.run_try(wanted, {cancel.get_token(), {}}, [&](const TryReport&) { cancel.request_stop(); });
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(lab.newest_job().state, JobState::kCancelled);
    expect_nothing_left();
  }
}

TEST_F(TryPackageTest, IsCancelledByAStopBeforeTheMachinesRun) {
  for (const auto* at : {"create_overlay try-web", "start_throwaway try-cache", "watch_ends"}) {
    SCOPED_TRACE(at);
    std::stop_source cancel;
    lab.control.before(at, [&] { cancel.request_stop(); });
    const auto report = lab.run_try(request(), {cancel.get_token(), {}});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
    expect_nothing_left();
    lab.control.clear();
  }
}

TEST_F(TryPackageTest, EndsWhenNoMachineIsLeftAndSaysHowEachEnded) {
  const auto report = tried(request(), [&](const TryReport&) {
    lab.hypervisor.end("try-web", MachineEnd::kShutDown);
    lab.hypervisor.end("try-database", MachineEnd::kCrashed);
    for (const auto* name : {"try-cache", "try-archive"}) lab.hypervisor.remove_machine(name);
  });
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->machines[0].end, MachineEnd::kShutDown);
  EXPECT_EQ(report->machines[1].end, MachineEnd::kCrashed);
  EXPECT_EQ(report->machines[2].end, MachineEnd::kStopped);
  EXPECT_TRUE(report->has_crashed());
}

TEST_F(TryPackageTest, NoticesACrashThatLeavesTheMachineThere) {
  auto wanted = request();
  wanted.run_for = Milliseconds(1000);
  let_looks_last("try-web", Milliseconds(1000), 1);
  const auto report = tried(wanted, [&](const TryReport&) {
    FakeMachine crashed;
    lab.hypervisor.change("try-web", [&](FakeMachine& web) { crashed = web; });
    crashed.summary.power = PowerState::kOther;
    lab.hypervisor.end("try-web", MachineEnd::kCrashed);
    lab.hypervisor.add_machine(crashed);
  });
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->machines[0].end, MachineEnd::kCrashed);
  EXPECT_TRUE(report->has_crashed());
  expect_nothing_left();
}

TEST_F(TryPackageTest, BlamesNobodyForAnEndOfWhichNothingWasHeard) {
  const auto report = tried(with_agents(), [&](const TryReport&) { lab.hypervisor.remove_machine("try-cache"); });
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("\"try-cache\" stopped for an unknown reason before its agent"));
}

TEST_F(TryPackageTest, SaysThatAMachineStandsStill) {
  auto wanted = request();
  wanted.run_for = Milliseconds(1000);
  let_looks_last("try-web", Milliseconds(1000), 1);
  const auto report = tried(wanted, [&](const TryReport&) { lab.hypervisor.set_power("try-web", PowerState::kOther); });
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->machines[0].power, PowerState::kOther);
  EXPECT_EQ(report->machines[1].power, PowerState::kRunning);
}

TEST_F(TryPackageTest, NamesTheMachinesWhoseAgentsDoNotAnswer) {
  lab.hypervisor.agents_answer = false;
  let_looks_last("try-web", Milliseconds(3000), 2);
  const auto report = tried(with_agents(), {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(report.error().message, AllOf(HasSubstr("\"try-web\", \"try-database\""), HasSubstr("5 s")));
  expect_nothing_left();
}

TEST_F(TryPackageTest, DoesNotWaitForTheAgentOfAMachineThatHasEnded) {
  lab.hypervisor.agents_answer = false;
  const auto report =
      tried(with_agents(), [&](const TryReport&) { lab.hypervisor.end("try-cache", MachineEnd::kCrashed); });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(report.error().message, HasSubstr("\"try-cache\" crashed before its agent had answered"));
  expect_nothing_left();
}

// --- refusals ---

TEST_F(TryPackageTest, RefusesToWaitForAnAgentThatCannotBeBeforeItReadsTheDisks) {
  std::ofstream(lab.target() / package::disk_file("archive", "vda", "raw")) << "x";  // a verification would tell
  lab.hypervisor.without_agent_channel = "cache";
  for (const char* words : {"\"cache\" has no channel for a guest agent", "--wait-for-agent", "--machine"}) {
    expect_refused(with_agents(), ErrorCode::kUnsupported, words);
  }
  EXPECT_EQ(lab.trial.plan(with_agents()).error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(lab.trial.plan(request()));
  auto others = with_agents();
  others.machines = {"web"};
  EXPECT_TRUE(lab.trial.plan(others));
}

TEST_F(TryPackageTest, RefusesAPackageThatIsNotWhole) {
  std::ofstream(lab.target() / package::disk_file("archive", "vda", "raw")) << "x";
  auto wanted = request();
  wanted.machines = {"web"};
  expect_refused(wanted, ErrorCode::kCorrupt, "is not whole");
  EXPECT_EQ(lab.control.count("create_overlay"), 0U);
}

TEST_F(TryPackageTest, RefusesWhatReachesForTheHostUnlessItIsTrusted) {
  const auto manifest = package::read_manifest(lab.target()).value();
  std::ofstream(lab.target() / manifest.machines[1].configuration.file)
      << manifest.machines[1].id.str() << " database forbidden";
  expect_refused(request(), ErrorCode::kUnsupported, "database");
  auto trusting = request();
  trusting.trusted = {RefusalKind::kHostDevice};
  // It goes on to the next check: that this is not the configuration that was exported.
  expect_refused(trusting, ErrorCode::kCorrupt, "database");
}

TEST_F(TryPackageTest, RefusesAFolderThatIsNotThereAndNamesThatCannotBe) {
  auto wanted = request();
  wanted.scratch = lab.folder.path() / "nowhere";
  expect_refused(wanted, ErrorCode::kNotFound, "nowhere");
  wanted = request();
  wanted.name_prefix = "a/";
  expect_refused(wanted, ErrorCode::kInvalidArgument, "a/web");
}

TEST_F(TryPackageTest, LetsNoGuestRunOnADiskThatChangedAfterTheVerification) {
  const Path disk = lab.target() / package::disk_file("cache", "vda", "raw");
  lab.control.before("start_throwaway try-archive",
                     [&] { std::ofstream(disk, std::ios::in | std::ios::out) << "changed"; });
  expect_refused(request(), ErrorCode::kCorrupt, "has changed since");
  EXPECT_EQ(lab.control.count("resume"), 0U);
}

TEST_F(TryPackageTest, LeavesAMachineThatAppearsMeanwhileUnderItsName) {
  lab.control.before("start_throwaway try-web", [&] {
    lab.add_machine("try-web", PowerState::kRunning);
    before = lab.hypervisor.describe();
  });
  expect_refused(request(), ErrorCode::kAlreadyExists, "\"try-web\"");
  EXPECT_EQ(lab.hypervisor.power("try-web"), PowerState::kRunning);
}

// --- failures ---

TEST_F(TryPackageTest, RemovesAllWhenOneMachineDoesNotStart) {
  lab.control.fail_next("start_throwaway try-cache", ErrorCode::kHypervisor);
  expect_refused(request(), ErrorCode::kHypervisor, "start_throwaway try-cache");
}

TEST_F(TryPackageTest, SaysWhatCouldNotBeRemovedAndRemovesItTheNextTime) {
  lab.control.fail_always("stop try-web", ErrorCode::kHypervisor);
  const auto report = tried(with_agents(), {});
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, AllOf(HasSubstr("ran as asked"), HasSubstr("Not taken back")));
  EXPECT_THAT(lab.left_open(), Not(IsEmpty()));
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  expect_nothing_left();
}

TEST_F(TryPackageTest, RecoveryRemovesMachinesThatHaveOutlivedTheirProcess) {
  lab.control.before("watch_ends", [&] { lab.control.die(); });
  static_cast<void>(lab.run_try(request()));
  lab.control.clear();
  ASSERT_TRUE(lab.hypervisor.find_machine("try-web"));
  const auto recovered = lab.run_recover();
  ASSERT_TRUE(recovered);
  EXPECT_THAT(recovered->failures, IsEmpty());
  EXPECT_THAT(recovered->actions, Contains("The machine \"try-web\" was removed."));
  expect_nothing_left();
}

// virtlogd rotates the logs of ports that write much.
TEST_F(TryPackageTest, RemovesItsFolderWithWhatOthersPutThere) {
  const auto report = tried(with_agents(), [&](const TryReport&) {
    const Path folder = lab.hypervisor.active_file("try-web", "vda").parent_path();
    EXPECT_TRUE(create_file(folder / "try-web-serial0.log.0", "x"));
  });
  ASSERT_TRUE(report) << report.error().describe();
  expect_nothing_left();
}

TEST_F(TryPackageTest, KeepsItsFolderUntilEveryMachineIsGone) {
  for (const auto* name : {"try-web", "try-cache"}) {
    SCOPED_TRACE(name);
    lab.control.fail_always(fmt::format("stop {}", name), ErrorCode::kHypervisor);
    ASSERT_FALSE(tried(with_agents(), {}));
    EXPECT_TRUE(std::filesystem::exists(lab.hypervisor.active_file(name, "vda")));
    lab.control.clear();
    ASSERT_TRUE(lab.run_recover());
    expect_nothing_left();
  }
}

// libvirt makes what a package does not have when it starts the machine.
TEST_F(TryPackageTest, RemovesTheStateThatItsMachinesGotFromLibvirt) {
  auto wanted = with_agents();
  wanted.machines = {"cache"};
  ASSERT_TRUE(tried(wanted, [&](const TryReport& running) {
    const Path variables = lab.hypervisor.active_file("try-cache", "vda").parent_path() / "try-cache_VARS.fd";
    EXPECT_THAT(lab.kept.undo_steps(lab.newest_job().id).value(),
                Contains(Field(&UndoStep::subject, variables.string())));
    EXPECT_TRUE(create_file(variables, "fresh"));
    EXPECT_TRUE(make_directories(lab.hypervisor.tpm_state_folder(running.machines[0].id) / "tpm2"));
  }));
  expect_nothing_left();
}

// It was made before all machines, and is none's.
TEST_F(TryPackageTest, RecoveryRemovesTheNetworkThoughAMachineIsSomebodysNow) {
  auto wanted = request();
  wanted.network = TryNetwork::kIsolated;
  lab.control.before("watch_ends", [&] { lab.control.die(); });
  static_cast<void>(lab.run_try(wanted));
  lab.control.clear();
  lab.hypervisor.change("try-web", [](FakeMachine& web) { web.mark = "somebody's"; });
  const auto recovered = lab.run_recover();
  ASSERT_TRUE(recovered);
  EXPECT_THAT(recovered->failures, ElementsAre(HasSubstr("\"try-web\"")));
  EXPECT_THAT(recovered->actions, Contains(HasSubstr("is not empty")));
  EXPECT_THAT(lab.hypervisor.networks, IsEmpty());
  EXPECT_TRUE(std::filesystem::exists(lab.hypervisor.active_file("try-web", "vda")));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(TryPackageTest, LeavesNothingWhateverFailsAndWhereverItsProcessDied) {
  for (std::size_t number = 1;; ++number) {
    PackageLab world;
    prepare(world);
    TryRequest wanted;
    wanted.directory = world.target();
    wanted.network = TryNetwork::kIsolated;
    wanted.agent_patience = Milliseconds(5000);
    const std::string world_before = world.hypervisor.describe();
    if (number % 2 == 0) {
      world.control.die_at(number);
    } else {
      world.control.fail_at(number, number % 4 == 1);
    }
    static_cast<void>(world.run_try(wanted));
    const auto calls = world.control.calls();
    if (number > calls.size()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    world.control.clear();
    ASSERT_TRUE(world.run_recover());
    EXPECT_THAT(world.left_open(), IsEmpty());
    EXPECT_EQ(world.hypervisor.describe(), world_before);
    EXPECT_THAT(world.hypervisor.networks, IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(world.kept.tries_folder()));
    EXPECT_THAT(PackageLab::names_in(world.folder.path() / "tpm"), IsEmpty());
  }
}

}  // namespace
}  // namespace cohort::service
