#include "service/recover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Runs `work` in new worlds, the process dying after each of its calls in turn, and lets `check` look at the world
// that the next process finds, when it has recovered.
void after_each_death(const std::function<void(Lab&)>& prepare, const std::function<void(Lab&)>& work,
                      const std::function<void(Lab&)>& check) {
  for (std::size_t number = 1;; ++number) {
    Lab lab;
    prepare(lab);
    lab.control.clear();
    lab.control.die_at(number);
    work(lab);
    if (!lab.control.is_dead()) {
      EXPECT_GT(number, 10U) << "too few deaths";
      return;
    }
    SCOPED_TRACE(fmt::format("death after call {}: {}", number, lab.control.calls()[number - 1]));
    lab.control.clear();
    check(lab);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

void expect_as_before(Lab& lab, const std::string& before) {
  EXPECT_EQ(lab.hypervisor.describe(), before);
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
  EXPECT_THAT(lab.left_open(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(lab.folder.path() / "state/snapshots") &&
               !std::filesystem::is_empty(lab.folder.path() / "state/snapshots"));
}

void prepare_shop(Lab& lab) {
  lab.add_shop();
  lab.hypervisor.change("web", [](FakeMachine& web) { web.state.nvram = "variables"; });
}

std::string described_shop(const std::string& name = {}) {
  Lab lab;
  prepare_shop(lab);
  if (!name.empty()) static_cast<void>(lab.take_of_shop(name));
  return lab.hypervisor.describe();
}

void take_nightly(Lab& lab) { static_cast<void>(lab.take_of_shop("nightly")); }
void delete_nightly(Lab& lab) { static_cast<void>(lab.delete_snapshot({"nightly"})); }

TEST(Recover, DoesNothingAndRecordsNoJobWhenNothingIsOpen) {
  Lab lab;
  lab.add_shop();
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  const std::string before = lab.hypervisor.describe();
  const auto report = lab.run_recover();
  ASSERT_TRUE(report);
  EXPECT_THAT(report->actions, IsEmpty());
  EXPECT_THAT(lab.kept.jobs().value(), SizeIs(1));
  EXPECT_EQ(lab.hypervisor.describe(), before);
}

TEST(Recover, TakesASnapshotBackWhereverItsProcessDied) {
  const std::string before = described_shop();
  after_each_death(prepare_shop, take_nightly, [&](Lab& lab) {
    const bool had_completed = lab.newest_job().state == JobState::kCompleted;
    const auto report = lab.run_recover();
    ASSERT_TRUE(report) << report.error().describe();
    EXPECT_THAT(report->failures, IsEmpty());
    if (had_completed) return;
    expect_as_before(lab, before);
  });
}

TEST(Recover, CompletesADeletionWhereverItsProcessDied) {
  const std::string before = described_shop();
  after_each_death(
      [](Lab& lab) {
        prepare_shop(lab);
        ASSERT_TRUE(lab.take_of_shop("nightly"));
      },
      delete_nightly,
      [&](Lab& lab) {
        ASSERT_TRUE(lab.run_recover());
        EXPECT_THAT(lab.left_open(), IsEmpty());
        // It may not have begun.
        const auto left = lab.kept.snapshots().value();
        for (const Snapshot& snapshot : left) EXPECT_EQ(snapshot.state, SnapshotState::kReady);
        EXPECT_EQ(!left.empty(), lab.delete_snapshot({"nightly"}).has_value());
        expect_as_before(lab, before);
      });
}

// Nobody has said that its files are not needed: defined again, it may stand on them.
TEST(Recover, ForgetsNoSnapshotOfAMachineThatIsMissing) {
  for (const auto* call : {"merge_overlay web vda", "capture archive"}) {
    SCOPED_TRACE(call);
    Lab lab;
    prepare_shop(lab);
    lab.control.before(call, [&lab] { lab.control.die(); });
    take_nightly(lab);
    delete_nightly(lab);
    ASSERT_TRUE(lab.control.is_dead());
    lab.control.clear();
    lab.hypervisor.remove_machine("database");
    const auto report = lab.run_recover();
    ASSERT_TRUE(report) << report.error().describe();
    ASSERT_THAT(report->actions, SizeIs(1));
    EXPECT_THAT(report->actions[0], HasSubstr("database-vda.cohort-"));
    EXPECT_THAT(report->actions[0], HasSubstr("--forget-missing"));
    EXPECT_THAT(lab.left_open(), IsEmpty());
    ASSERT_THAT(lab.kept.snapshots().value(), SizeIs(1));
    EXPECT_EQ(lab.kept.snapshots()->front().state, SnapshotState::kDeleting);
    EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
    const auto deleted = lab.delete_snapshot({"nightly", Unmergeable::kForgotten});
    ASSERT_TRUE(deleted) << deleted.error().describe();
    EXPECT_THAT(deleted->left_behind, SizeIs(1));
    EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
  }
}

TEST(Recover, CanDieItselfAnywhereAndBeRunAgain) {
  const std::string before = described_shop();
  // All members stand still, two of them captured: the worst place.
  const auto crash_inside_the_fence = [](Lab& lab) {
    prepare_shop(lab);
    lab.control.before("capture archive", [&lab] { lab.control.die(); });
    take_nightly(lab);
    ASSERT_TRUE(lab.control.is_dead());
  };
  after_each_death(
      crash_inside_the_fence, [](Lab& lab) { static_cast<void>(lab.run_recover()); },
      [&](Lab& lab) {
        const auto report = lab.run_recover();
        ASSERT_TRUE(report) << report.error().describe();
        expect_as_before(lab, before);
      });
}

TEST(Recover, LetsMembersRunThatAFenceHasLeftStandingAndOnlyThose) {
  Lab lab;
  lab.add_shop();
  lab.control.before("capture archive", [&] { lab.control.die(); });
  take_nightly(lab);
  ASSERT_EQ(lab.hypervisor.power("web"), PowerState::kPaused);
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
  EXPECT_EQ(lab.hypervisor.power("database"), PowerState::kRunning);
  EXPECT_EQ(lab.hypervisor.power("cache"), PowerState::kPaused);
  EXPECT_EQ(lab.control.count("resume"), 2U);
}

// Before its intent is in the store, no fence has stopped anybody.
TEST(Recover, LeavesMembersPausedWhereNoFenceWasRaised) {
  Lab lab;
  lab.add_shop();
  lab.control.before("watch_pauses", [&] { lab.control.die(); });
  take_nightly(lab);
  lab.control.clear();
  lab.hypervisor.set_power("web", PowerState::kPaused);
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kPaused);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

// One member that cannot run again for a reason of its own must not keep the others on their overlays.
TEST(Recover, GoesOnWhereAMemberStandsStillForAReasonOfItsOwn) {
  Lab lab;
  lab.add_shop();
  const std::string before = lab.hypervisor.describe();
  lab.control.before("capture archive", [&] { lab.control.die(); });
  take_nightly(lab);
  lab.control.clear();
  lab.hypervisor.change("web", [](FakeMachine& web) { web.is_stuck = true; });
  const auto report = lab.run_recover();
  ASSERT_TRUE(report);
  EXPECT_THAT(report->failures, IsEmpty());
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  EXPECT_EQ(lab.hypervisor.power("database"), PowerState::kRunning);
}

TEST(Recover, KeepsWhatCannotBeTakenBackForTheNextTime) {
  Lab lab;
  lab.add_shop();
  const std::string before = lab.hypervisor.describe();
  lab.control.before("capture archive", [&] { lab.control.die(); });
  take_nightly(lab);
  lab.control.clear();
  lab.control.fail_next("merge_overlay", ErrorCode::kHypervisor);
  const auto report = lab.run_recover();
  ASSERT_TRUE(report);
  EXPECT_THAT(report->failures, SizeIs(1));
  EXPECT_THAT(lab.left_open(), SizeIs(1));
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(lab.hypervisor.describe(), before);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

// A member that runs again belongs to its user, however often the rest has to be tried.
TEST(Recover, ResumesMembersOnlyOnce) {
  Lab lab;
  lab.add_shop();
  lab.control.before("capture archive", [&] { lab.control.die(); });
  take_nightly(lab);
  lab.control.clear();
  lab.control.fail_next("merge_overlay", ErrorCode::kHypervisor);
  ASSERT_TRUE(lab.run_recover());
  lab.hypervisor.set_power("web", PowerState::kPaused);  // by its user
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kPaused);
}

TEST(Recover, LeavesOverlaysOfMachinesThatHaveVanishedAndSaysSo) {
  Lab lab;
  lab.add_shop();
  lab.control.before("capture archive", [&] { lab.control.die(); });
  take_nightly(lab);
  lab.control.clear();
  lab.hypervisor.remove_machine("database");
  const auto report = lab.run_recover();
  ASSERT_TRUE(report);
  ASSERT_THAT(report->actions, SizeIs(1));
  EXPECT_THAT(report->actions[0], HasSubstr("no longer exist"));
  EXPECT_THAT(report->actions[0], HasSubstr("database-vda.cohort-"));
}

TEST(Recover, LeavesTheOverlayOfADiskThatWasDetachedInADeletionThatDiedAndSaysSo) {
  Lab lab;
  lab.add_shop();
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  lab.control.before("merge_overlay archive", [&] { lab.control.die(); });
  static_cast<void>(lab.delete_snapshot({"nightly"}));
  lab.control.clear();
  lab.hypervisor.change("archive", [](FakeMachine& machine) { machine.disks.erase("vda"); });
  const auto report = lab.run_recover();
  ASSERT_TRUE(report);
  ASSERT_THAT(report->actions, SizeIs(1));
  EXPECT_THAT(report->actions[0], HasSubstr("of disks that they have no more"));
  EXPECT_THAT(report->actions[0], HasSubstr("archive-vda.cohort-"));
  EXPECT_EQ(lab.kept.snapshots()->front().state, SnapshotState::kDeleting);
  EXPECT_TRUE(lab.delete_snapshot({"nightly", Unmergeable::kForgotten}));
}

TEST(Recover, SaysInTheHistoryWhatBecameOfTheJob) {
  Lab lab;
  lab.add_shop();
  lab.control.before("capture archive", [&] { lab.control.die(); });
  take_nightly(lab);
  const JobId died = lab.newest_job().id;
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  const auto job = lab.kept.job(died);
  ASSERT_TRUE(job && job->error && job->ended);
  EXPECT_EQ(job->state, JobState::kFailed);
  EXPECT_THAT(job->error->message, HasSubstr("ended before the job did"));
  EXPECT_THAT(job->error->message, HasSubstr("was taken back"));
  EXPECT_EQ(lab.newest_job().type, JobType::kRecover);
  EXPECT_EQ(lab.newest_job().state, JobState::kCompleted);
}

}  // namespace
}  // namespace cohort::service
