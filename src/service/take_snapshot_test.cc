#include "service/take_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class TakeSnapshotTest : public ::testing::Test {
 protected:
  TakeSnapshotTest() { lab.add_shop(); }

  void expect_refused(const TakeSnapshotRequest& request, ErrorCode code, const std::string& words) {
    const std::string before = lab.hypervisor.describe();
    const auto taken = lab.take_snapshot(request);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, code) << taken.error().describe();
    EXPECT_THAT(taken.error().message, HasSubstr(words));
    expect_untouched(before);
  }

  void expect_untouched(const std::string& before) {
    EXPECT_EQ(lab.hypervisor.describe(), before);
    EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }

  Lab lab;
};

TEST_F(TakeSnapshotTest, CapturesRunningPausedAndOffMembersOnOverlays) {
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(taken->state, SnapshotState::kReady);
  ASSERT_EQ(taken->members.size(), 4U);
  for (const auto& member : taken->members) {
    for (const auto& disk : member.disks) {
      EXPECT_EQ(lab.hypervisor.active_file(member.name, disk.target), disk.overlay);
    }
  }
  EXPECT_EQ(lab.kept.snapshot(taken->id)->state, SnapshotState::kReady);
  EXPECT_EQ(lab.newest_job().result, taken->id.str());
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(TakeSnapshotTest, KeepsTheContentOfTheInstant) {
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_TRUE(taken);
  lab.hypervisor.write("web", "vda", 1, "later");
  const auto& disk = taken->members[0].disks[0];
  EXPECT_EQ(lab.hypervisor.content(disk.frozen.path), "0=first of /nonexistent/disks/web-vda.qcow2");
  EXPECT_THAT(lab.hypervisor.disk_content("web", "vda"), HasSubstr("1=later"));
}

TEST_F(TakeSnapshotTest, LeavesEveryMemberInThePowerStateItHad) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
  EXPECT_EQ(lab.hypervisor.power("database"), PowerState::kRunning);
  EXPECT_EQ(lab.hypervisor.power("cache"), PowerState::kPaused);
  EXPECT_EQ(lab.hypervisor.power("archive"), PowerState::kOff);
}

TEST_F(TakeSnapshotTest, HasThePlanInTheStoreBeforeTheFirstOverlay) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  EXPECT_LT(lab.control.first("add_undo_step abandon_snapshot"), lab.control.first("add_snapshot"));
  EXPECT_LT(lab.control.first("add_snapshot"), lab.control.first("create_overlay"));
}

TEST_F(TakeSnapshotTest, KeepsNvramAndTpmStateOfTheInstant) {
  lab.hypervisor.change("web", [](FakeMachine& web) {
    web.state.nvram = "variables";
    web.state.tpm = {{"tpm2/permall", "seed"}};
  });
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_TRUE(taken->members[0].has_nvram);
  EXPECT_TRUE(taken->members[0].has_tpm);
  EXPECT_FALSE(taken->members[1].has_nvram);
  const Path kept = lab.store.machine_state_folder(taken->id, taken->members[0].machine);
  EXPECT_EQ(read_file(kept / "nvram", 100).value(), "variables");
  EXPECT_EQ(read_file(kept / "tpm/tpm2/permall", 100).value(), "seed");
}

TEST_F(TakeSnapshotTest, ProvesOneInstantByThePausesOfAllRunningMembers) {
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->members[0].pause && taken->members[1].pause);
  EXPECT_FALSE(taken->members[2].pause || taken->members[3].pause);
  EXPECT_TRUE(taken->fence.is_proven());
  EXPECT_EQ(taken->instant, *taken->fence.overlap_begin);
  EXPECT_EQ(taken->fence.deadline, Milliseconds(2000));
}

TEST_F(TakeSnapshotTest, IsReadyButNotProvenWherePausesCannotBeMeasured) {
  lab.hypervisor.info.measures_pauses = false;
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_TRUE(taken);
  EXPECT_FALSE(taken->fence.is_proven());
  EXPECT_NE(taken->instant, WallTime{});
}

TEST_F(TakeSnapshotTest, TakesAMachineOfTwoNestedCollectionsOnce) {
  lab.add_collection("more", {"web", "archive"});
  lab.add_collection("all", {"shop", "more"}, CollectionKind::kCollections);
  const auto taken = lab.take_snapshot(snapshot_of("all", "both"));
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(taken->members.size(), 4U);
  EXPECT_EQ(lab.control.count("suspend web"), 1U);
}

TEST_F(TakeSnapshotTest, StacksASecondSnapshotOnTheFirst) {
  const auto first = lab.take_of_shop("first");
  const auto second = lab.take_of_shop("second");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->members[0].disks[0].frozen.path, first->members[0].disks[0].overlay);
}

TEST_F(TakeSnapshotTest, NamesItselfAfterTheCollectionAndTheTime) {
  const auto first = lab.take_snapshot(snapshot_of("shop"));
  const auto second = lab.take_snapshot(snapshot_of("shop"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->name, "shop 2026-02-02 02:40:00");
  EXPECT_EQ(second->name, "shop 2026-02-02 02:40:00 (2)");
}

TEST_F(TakeSnapshotTest, GivesDisksOfOneStemOverlaysOfTheirOwn) {
  lab.hypervisor.change("database", [](FakeMachine& machine) {
    machine.disks["vdb"] = "/nonexistent/disks/web-vda.raw";  // beside web-vda.qcow2
  });
  FakeMachine owner;
  owner.disks["vda"] = "/nonexistent/disks/web-vda.raw";
  lab.hypervisor.add_machine(owner);
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_NE(taken->members[0].disks[0].overlay, taken->members[1].disks[1].overlay);
  EXPECT_TRUE(is_overlay_name(taken->members[1].disks[1].overlay));
}

// --- refusals: nothing is touched ---

TEST_F(TakeSnapshotTest, RefusesDeadlinesOutOfBounds) {
  expect_refused(snapshot_of("shop", "x", Milliseconds(99)), ErrorCode::kInvalidArgument, "99 ms");
  expect_refused(snapshot_of("shop", "x", Milliseconds(30'001)), ErrorCode::kInvalidArgument, "30001 ms");
  EXPECT_TRUE(lab.take_snapshot(snapshot_of("shop", "shortest", Milliseconds(100))));
  EXPECT_TRUE(lab.take_snapshot(snapshot_of("shop", "longest", Milliseconds(30'000))));
}

TEST_F(TakeSnapshotTest, RefusesANameThatIsTaken) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  const std::string before = lab.hypervisor.describe();
  const auto again = lab.take_of_shop("nightly");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(lab.hypervisor.describe(), before);
}

TEST_F(TakeSnapshotTest, RefusesUnsuitableNamesAndUnknownCollections) {
  expect_refused(snapshot_of("shop", "a/b"), ErrorCode::kInvalidArgument, "a/b");
  expect_refused(snapshot_of("nobody"), ErrorCode::kNotFound, "nobody");
}

TEST_F(TakeSnapshotTest, RefusesAnEmptyCollection) {
  lab.add_collection("nothing", {});
  expect_refused(snapshot_of("nothing"), ErrorCode::kInvalidState, "has no machines");
}

TEST_F(TakeSnapshotTest, NamesMissingMembers) {
  lab.hypervisor.remove_machine("database");
  expect_refused(snapshot_of("shop"), ErrorCode::kNotFound, "\"database\"");
}

TEST_F(TakeSnapshotTest, NamesAllObstaclesAtOnce) {
  lab.hypervisor.change("web", [](FakeMachine& m) { m.obstacles = {"A block job runs on vda of web."}; });
  lab.hypervisor.change("database", [](FakeMachine& m) { m.left_out = {{"sdb", LeftOutReason::kShareable, ""}}; });
  lab.hypervisor.remove_machine("cache");
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("A block job runs on vda of web."));
  EXPECT_THAT(taken.error().message, HasSubstr("Disk sdb of \"database\" (shareable)"));
  EXPECT_THAT(taken.error().message, HasSubstr("The machine \"cache\""));
}

// Another state folder is at work on the machine, or the one that was is lost.
TEST_F(TakeSnapshotTest, RefusesADiskOnAnOverlayThatNoSnapshotKnows) {
  const Snapshot foreign = lab.take_of_shop("foreign").value();
  ASSERT_TRUE(lab.kept.remove_snapshot(foreign.id));
  const std::string now = lab.hypervisor.describe();
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(taken.error().message, HasSubstr(foreign.members[0].disks[0].overlay.string()));
  EXPECT_THAT(taken.error().message, HasSubstr("doctor"));
  EXPECT_EQ(lab.hypervisor.describe(), now);
}

TEST_F(TakeSnapshotTest, LeavesOutDisksThatCannotBeSnapshottedOnlyWhenAsked) {
  lab.hypervisor.change("web", [](FakeMachine& m) { m.left_out = {{"sdb", LeftOutReason::kPassThrough, "/dev/x"}}; });
  expect_refused(snapshot_of("shop"), ErrorCode::kUnsupported, "--ignore-non-snapshottable");
  auto request = snapshot_of("shop");
  request.ignore_non_snapshottable = true;
  const auto taken = lab.take_snapshot(request);
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(taken->members[0].left_out.at(0).target, "sdb");
}

TEST_F(TakeSnapshotTest, LeavesOutCdromsUnasked) {
  lab.hypervisor.change("web", [](FakeMachine& m) { m.left_out = {{"sda", LeftOutReason::kCdrom, ""}}; });
  EXPECT_TRUE(lab.take_of_shop("nightly"));
}

TEST_F(TakeSnapshotTest, RefusesOneFileUnderTwoDisks) {
  lab.hypervisor.change("database", [](FakeMachine& m) { m.disks["vda"] = "/nonexistent/disks/web-vda.qcow2"; });
  expect_refused(snapshot_of("shop"), ErrorCode::kInvalidState, "disk vda of \"web\" and disk vda of \"database\"");
}

TEST_F(TakeSnapshotTest, IsTakenBackWhenItIsCancelledBeforeTheFence) {
  const std::string before = lab.hypervisor.describe();
  std::stop_source cancel;
  lab.control.before("create_overlay web", [&] { cancel.request_stop(); });
  const auto taken = lab.take_snapshot(snapshot_of("shop"), {cancel.get_token(), {}});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(lab.newest_job().state, JobState::kCancelled);
  EXPECT_EQ(lab.control.count("suspend"), 0U);
  expect_untouched(before);
}

TEST_F(TakeSnapshotTest, IsTakenBackWhenItIsCancelledInsideTheFence) {
  const std::string before = lab.hypervisor.describe();
  std::stop_source cancel;
  lab.control.before("capture web", [&] { cancel.request_stop(); });
  const auto taken = lab.take_snapshot(snapshot_of("shop"), {cancel.get_token(), {}});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kCancelled);
  expect_untouched(before);
}

TEST_F(TakeSnapshotTest, PlanChangesNothing) {
  const std::string before = lab.hypervisor.describe();
  const auto plan = lab.take.plan(snapshot_of("shop"));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->state, SnapshotState::kCreating);
  EXPECT_EQ(plan->members.size(), 4U);
  expect_untouched(before);
  EXPECT_THAT(lab.kept.jobs().value(), IsEmpty());
}

// --- machines that change meanwhile ---

TEST_F(TakeSnapshotTest, NamesMachinesThatHaveVanishedOrStoppedMeanwhile) {
  lab.control.before("capture web", [&] {
    lab.hypervisor.remove_machine("database");
    lab.hypervisor.set_power("web", PowerState::kOff);
  });
  lab.control.fail_next("capture web", ErrorCode::kIo);
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("The machine \"database\" does not exist any more."));
  EXPECT_THAT(taken.error().message, HasSubstr("The machine \"web\" has stopped meanwhile."));
}

// --- any call that fails ---

// Whatever call fails: either the snapshot is there whole and the job has completed (its end may be in the store though
// the answer was lost), or all is as before. Where the store failed while things were taken back, recover() does the
// rest.
class OneFailure : public ::testing::TestWithParam<bool> {};

TEST_P(OneFailure, LeavesAllAsBefore) {
  for (std::size_t number = 1;; ++number) {
    Lab lab;
    lab.add_shop();
    const std::string before = lab.hypervisor.describe();
    lab.control.fail_at(number, GetParam());
    const auto taken = lab.take_of_shop("nightly");
    const auto calls = lab.control.calls();
    if (number > calls.size()) {
      EXPECT_TRUE(taken);
      EXPECT_GT(number, 25U) << "too few calls were failed";
      break;
    }
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    lab.control.clear();
    EXPECT_NE(lab.hypervisor.power("web"), PowerState::kPaused);
    EXPECT_NE(lab.hypervisor.power("database"), PowerState::kPaused);
    EXPECT_TRUE(lab.run_recover());
    EXPECT_THAT(lab.left_open(), IsEmpty());
    const auto kept = lab.kept.snapshots().value();
    if (taken || (GetParam() && calls[number - 1] == "finish_job")) {
      ASSERT_EQ(kept.size(), 1U);
      EXPECT_EQ(kept[0].state, SnapshotState::kReady);
    } else {
      EXPECT_EQ(lab.hypervisor.describe(), before);
      EXPECT_THAT(kept, IsEmpty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(TakeSnapshotTest, OneFailure, ::testing::Values(false, true),
                         [](const auto& failure) { return failure.param ? "AfterItsEffect" : "BeforeItsEffect"; });

}  // namespace
}  // namespace cohort::service
