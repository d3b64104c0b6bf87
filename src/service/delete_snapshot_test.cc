#include "service/delete_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "service/lookup.h"
#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DeleteSnapshotTest : public ::testing::Test {
 protected:
  DeleteSnapshotTest() {
    lab.add_shop();
    before = lab.hypervisor.describe();
  }

  // Takes a snapshot; the guests write something else after it.
  Snapshot take(const std::string& name) {
    Snapshot taken = lab.take_of_shop(name).value();
    lab.hypervisor.write("web", "vda", static_cast<int>(++written), "after " + name);
    return taken;
  }

  [[nodiscard]] std::string frozen_content(const std::string& snapshot) {
    return lab.hypervisor.content(find(snapshot).members[0].disks[0].frozen.path);
  }
  [[nodiscard]] Snapshot find(const std::string& name) {
    const auto all = lab.kept.snapshots().value();
    return *std::ranges::find(all, name, &Snapshot::name);
  }

  Lab lab;
  std::string before;
  int written = 0;
};

TEST_F(DeleteSnapshotTest, PutsEveryMemberBackOnItsOwnDisks) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  const auto deleted = lab.delete_snapshot({"nightly"});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  EXPECT_EQ(deleted->name, "nightly");
  EXPECT_THAT(deleted->left_behind, IsEmpty());
  EXPECT_EQ(lab.hypervisor.describe(), before);
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(DeleteSnapshotTest, LeavesASnapshotThatIsBeingMadeToItsJob) {
  Snapshot snapshot = take("nightly");
  snapshot.state = SnapshotState::kCreating;
  ASSERT_TRUE(lab.kept.update_snapshot(snapshot));
  const std::string world = lab.hypervisor.describe();
  const auto deleted = lab.delete_snapshot({"nightly"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(deleted.error().message, HasSubstr("is being made"));
  EXPECT_FALSE(lab.remove.plan({"nightly"}));
  EXPECT_EQ(lab.hypervisor.describe(), world);
  EXPECT_EQ(find("nightly").state, SnapshotState::kCreating);
  ASSERT_TRUE(lab.delete_snapshot({"nightly", Unmergeable::kRefused, true}));
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
}

TEST_F(DeleteSnapshotTest, KeepsWhatTheGuestsWroteSince) {
  take("nightly");
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  EXPECT_THAT(lab.hypervisor.disk_content("web", "vda"), HasSubstr("1=after nightly"));
}

TEST_F(DeleteSnapshotTest, ThawsAGuestFirstThatIsStillNotedAsFrozen) {
  Snapshot taken = take("nightly");
  taken.members[0].consistency.may_be_frozen = true;
  ASSERT_TRUE(lab.kept.update_snapshot(taken));
  lab.control.fail_always("thaw web", ErrorCode::kTimeout);
  const auto refused = lab.delete_snapshot({"nightly"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("MAY STILL BE FROZEN"));
  EXPECT_TRUE(find("nightly").members[0].consistency.may_be_frozen);
  lab.control.clear();
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_LT(lab.control.first("thaw web"), lab.control.first("merge_overlay"));
}

TEST_F(DeleteSnapshotTest, RemovesTheSmallFiles) {
  lab.hypervisor.change("web", [](FakeMachine& web) { web.state.nvram = "variables"; });
  const Snapshot taken = take("nightly");
  ASSERT_TRUE(std::filesystem::exists(lab.store.snapshot_folder(taken.id)));
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_FALSE(std::filesystem::exists(lab.store.snapshot_folder(taken.id)));
}

TEST_F(DeleteSnapshotTest, IsDeletingInTheStoreBeforeTheFirstMerge) {
  take("nightly");
  lab.control.clear();
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_LT(lab.control.first("update_snapshot deleting"), lab.control.first("merge_overlay"));
  EXPECT_LT(lab.control.first("add_undo_step delete_snapshot"), lab.control.first("merge_overlay"));
  EXPECT_LT(lab.control.last("merge_overlay"), lab.control.first("remove_snapshot"));
}

TEST_F(DeleteSnapshotTest, InAnyOrderOfThreeLeavesTheOthersAndTheGuestsAsTheyWere) {
  std::array<std::string, 3> order{"a", "b", "c"};
  do {
    SCOPED_TRACE(order[0] + order[1] + order[2]);
    written = 0;
    Lab& world = lab;
    for (const auto* name : {"a", "b", "c"}) take(name);
    std::map<std::string, std::string> contents;
    for (const auto* name : {"a", "b", "c"}) contents[name] = frozen_content(name);
    const std::string now = world.hypervisor.disk_content("web", "vda");
    for (const auto& name : order) {
      ASSERT_TRUE(world.delete_snapshot({name}));
      contents.erase(name);
      for (const auto& [other, content] : contents) EXPECT_EQ(frozen_content(other), content);
      EXPECT_EQ(world.hypervisor.disk_content("web", "vda"), now);
    }
    EXPECT_EQ(world.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(DeleteSnapshotTest, TellsTheStoreWhereLaterSnapshotsFindTheirFrozenFiles) {
  const Snapshot first = take("first");
  take("second");
  ASSERT_TRUE(lab.delete_snapshot({"first"}));
  EXPECT_EQ(find("second").members[0].disks[0].frozen.path, first.members[0].disks[0].frozen.path);
}

TEST_F(DeleteSnapshotTest, RefusesAMissingMemberByNameAndChangesNothing) {
  take("nightly");
  lab.hypervisor.remove_machine("database");
  const std::string now = lab.hypervisor.describe();
  const auto deleted = lab.delete_snapshot({"nightly"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(deleted.error().message, HasSubstr("\"database\""));
  EXPECT_THAT(deleted.error().message, HasSubstr("--forget-missing"));
  EXPECT_EQ(lab.hypervisor.describe(), now);
  EXPECT_EQ(find("nightly").state, SnapshotState::kReady);
}

TEST_F(DeleteSnapshotTest, LeavesTheOverlaysOfMissingMembersWhenAsked) {
  const Snapshot taken = take("nightly");
  lab.hypervisor.remove_machine("database");
  const auto deleted = lab.delete_snapshot({"nightly", Unmergeable::kForgotten});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  EXPECT_THAT(deleted->left_behind, ElementsAre(taken.members[1].disks[0].overlay));
  EXPECT_TRUE(lab.hypervisor.has_file(taken.members[1].disks[0].overlay));
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
}

TEST_F(DeleteSnapshotTest, RefusesADetachedDiskByNameAndChangesNothing) {
  take("nightly");
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.disks.erase("vda"); });
  const std::string now = lab.hypervisor.describe();
  const auto deleted = lab.delete_snapshot({"nightly"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(deleted.error().message,
              AllOf(HasSubstr("\"database\""), HasSubstr("vda"), HasSubstr("--forget-missing")));
  EXPECT_EQ(lab.hypervisor.describe(), now);
  EXPECT_EQ(find("nightly").state, SnapshotState::kReady);
}

TEST_F(DeleteSnapshotTest, LeavesTheOverlaysOfDetachedDisksWhenAsked) {
  const Snapshot taken = take("nightly");
  const Path overlay = taken.members[1].disks[0].overlay;
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.disks.erase("vda"); });
  const auto plan = lab.remove.plan({"nightly", Unmergeable::kForgotten});
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_EQ(std::ranges::count(*plan, true, &PlannedMerge::stays), 1);
  const auto deleted = lab.delete_snapshot({"nightly", Unmergeable::kForgotten});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  EXPECT_THAT(deleted->left_behind, ElementsAre(overlay));
  EXPECT_TRUE(lab.hypervisor.has_file(overlay));
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
}

// What cannot be read may be the disk.
TEST_F(DeleteSnapshotTest, TakesNoDiskForDetachedWhileAnotherCannotBeRead) {
  take("nightly");
  lab.hypervisor.change("web", [](FakeMachine& web) {
    web.disks.erase("vda");
    web.obstacles.emplace_back("A file is not there.");
  });
  const auto deleted = lab.delete_snapshot({"nightly", Unmergeable::kForgotten});
  ASSERT_FALSE(deleted);
  EXPECT_THAT(deleted.error().message, ::testing::Not(HasSubstr("--forget-missing")));
}

// A disk that stands on the frozen file alone lacks what the overlay has.
TEST_F(DeleteSnapshotTest, TakesNoChangedDiskForADetachedOne) {
  const Snapshot taken = take("nightly");
  const DiskSnapshot& disk = taken.members[0].disks[0];
  lab.hypervisor.change("web", [&](FakeMachine& web) { web.disks[disk.target] = disk.frozen.path; });
  EXPECT_FALSE(lab.delete_snapshot({"nightly", Unmergeable::kForgotten}));
  EXPECT_TRUE(lab.hypervisor.has_file(disk.overlay));
  const Path other = lab.hypervisor.active_file("archive", "vda");
  lab.hypervisor.change("web", [&](FakeMachine& web) { web.disks[disk.target] = other; });
  EXPECT_FALSE(lab.delete_snapshot({"nightly", Unmergeable::kForgotten}));
  EXPECT_TRUE(lab.hypervisor.has_file(disk.overlay));
}

// What is known of them stays, too: when the disk is there again, it is merged.
TEST_F(DeleteSnapshotTest, KeepsWhatItKnowsOfADetachedDiskUntilItIsThereAgain) {
  const Snapshot taken = take("nightly");
  const DiskSnapshot& disk = taken.members[1].disks[0];
  lab.hypervisor.write("database", "vda", 7, "later");
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.disks.erase("vda"); });
  const auto deleted = lab.delete_snapshot({"nightly", Unmergeable::kKept});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  EXPECT_THAT(deleted->left_behind, IsEmpty());
  ASSERT_THAT(deleted->shared, SizeIs(1));
  EXPECT_THAT(deleted->shared[0].why, AllOf(HasSubstr("\"database\""), HasSubstr("vda")));
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  EXPECT_TRUE(lab.hypervisor.has_file(disk.overlay));
  const auto kept = lab.kept.snapshots().value();
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept[0].state, SnapshotState::kShared);
  ASSERT_THAT(kept[0].members, SizeIs(1));
  EXPECT_EQ(kept[0].members[0].disks[0].overlay, disk.overlay);
  EXPECT_FALSE(std::filesystem::exists(lab.kept.snapshot_folder(taken.id)));
  EXPECT_THAT(list_snapshots(lab.kept, {}).value(), IsEmpty());

  take("next");
  ASSERT_TRUE(lab.delete_snapshot({"next"}));
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
  lab.hypervisor.change("database", [&](FakeMachine& machine) { machine.disks["vda"] = disk.overlay; });
  take("next");
  const auto merged = lab.delete_snapshot({"next"});
  ASSERT_TRUE(merged) << merged.error().describe();
  EXPECT_THAT(merged->merged_layers, SizeIs(1));
  EXPECT_EQ(lab.hypervisor.active_file("database", "vda"), "/nonexistent/disks/database-vda.qcow2");
  EXPECT_THAT(lab.hypervisor.disk_content("database", "vda"), HasSubstr("later"));
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(DeleteSnapshotTest, KeepsWhatItKnowsOfADiskThatIsAnotherOne) {
  const Snapshot taken = take("nightly");
  const DiskSnapshot& disk = taken.members[0].disks[0];
  lab.add_machine("new", PowerState::kOff);
  const Path other = lab.hypervisor.active_file("new", "vda");
  lab.hypervisor.change("web", [&](FakeMachine& web) { web.disks[disk.target] = other; });
  ASSERT_TRUE(lab.delete_snapshot({"nightly", Unmergeable::kKept}));
  EXPECT_TRUE(lab.hypervisor.has_file(disk.overlay));
  EXPECT_EQ(lab.hypervisor.active_file("web", disk.target), other);
  const auto kept = lab.kept.snapshots().value();
  ASSERT_THAT(kept, SizeIs(1));
  ASSERT_THAT(kept[0].members, SizeIs(1));
  EXPECT_EQ(kept[0].members[0].disks[0].overlay, disk.overlay);
}

// One that is back is merged, and the other one waits on.
TEST_F(DeleteSnapshotTest, MergesOfWhatItKeptWhatIsThereAgain) {
  const Snapshot taken = take("nightly");
  for (const auto& member : taken.members) {
    lab.hypervisor.change(member.name, [](FakeMachine& machine) { machine.disks.erase("vda"); });
  }
  ASSERT_TRUE(lab.delete_snapshot({"nightly", Unmergeable::kKept}));
  const Path overlay = taken.members[0].disks[0].overlay;
  lab.hypervisor.change("web", [&](FakeMachine& web) { web.disks["vda"] = overlay; });
  take("next");
  const auto deleted = lab.delete_snapshot({"next"});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  ASSERT_THAT(deleted->shared, SizeIs(1));
  EXPECT_THAT(deleted->shared[0].why, HasSubstr("\"database\""));
  EXPECT_THAT(deleted->merged_layers, SizeIs(1));
  const auto kept = lab.kept.snapshots().value();
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept[0].members[0].name, "database");
}

TEST_F(DeleteSnapshotTest, LeavesNoOverlayUnaskedOfAMachineThatVanishesMeanwhile) {
  take("nightly");
  lab.control.before("merge_overlay database", [&] { lab.hypervisor.remove_machine("database"); });
  const auto deleted = lab.delete_snapshot({"nightly"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(deleted.error().message, AllOf(HasSubstr("\"database\""), HasSubstr("--forget-missing")));
  EXPECT_EQ(find("nightly").state, SnapshotState::kDeleting);
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  EXPECT_TRUE(lab.delete_snapshot({"nightly", Unmergeable::kForgotten}));
}

// That a machine is missing has to be said by the hypervisor, not only not be denied.
TEST_F(DeleteSnapshotTest, TakesNoMachineForMissingWhileTheHypervisorCannotBeAsked) {
  take("nightly");
  lab.control.fail_next("merge_overlay database", ErrorCode::kNotFound);
  lab.control.before("merge_overlay database",
                     [&] { lab.control.fail_next("machine database", ErrorCode::kHypervisor); });
  EXPECT_FALSE(lab.delete_snapshot({"nightly"}));
  EXPECT_EQ(find("nightly").state, SnapshotState::kDeleting);
}

TEST_F(DeleteSnapshotTest, GoesOnWithTheOtherDisksAfterAFailureAndFinishesWhenRunAgain) {
  take("nightly");
  lab.control.fail_next("merge_overlay web vda", ErrorCode::kInvalidState);
  const auto deleted = lab.delete_snapshot({"nightly"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(deleted.error().describe(), HasSubstr("disk vda of \"web\""));
  EXPECT_EQ(lab.hypervisor.active_file("web", "vdb"), "/nonexistent/disks/web-vdb.qcow2");
  EXPECT_EQ(lab.hypervisor.active_file("database", "vda"), "/nonexistent/disks/database-vda.qcow2");
  EXPECT_EQ(find("nightly").state, SnapshotState::kDeleting);
  EXPECT_THAT(lab.left_open(), IsEmpty());
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_THAT(lab.hypervisor.disk_content("web", "vda"), HasSubstr("1=after nightly"));
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
}

TEST_F(DeleteSnapshotTest, StopsHalfWayWhenCancelledAndFinishesWhenRunAgain) {
  take("nightly");
  std::stop_source cancel;
  lab.control.before("merge_overlay database", [&] { cancel.request_stop(); });
  const auto deleted = lab.delete_snapshot({"nightly"}, {cancel.get_token(), {}});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(lab.newest_job().state, JobState::kCancelled);
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
  EXPECT_NE(lab.hypervisor.active_file("database", "vda"), "/nonexistent/disks/database-vda.qcow2");
  EXPECT_EQ(find("nightly").state, SnapshotState::kDeleting);
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
}

TEST_F(DeleteSnapshotTest, RefusesADiskThatSomebodyHasChanged) {
  take("nightly");
  lab.hypervisor.change("database", [](FakeMachine& m) { m.disks["vda"] = "/nonexistent/disks/web-vdb.qcow2"; });
  const std::string now = lab.hypervisor.describe();
  const auto deleted = lab.delete_snapshot({"nightly"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kInvalidState);
  EXPECT_EQ(lab.hypervisor.describe(), now) << "the disks of web, too, are as they were";
  EXPECT_EQ(find("nightly").state, SnapshotState::kReady);
  EXPECT_FALSE(lab.remove.plan({"nightly"}));
}

TEST_F(DeleteSnapshotTest, OnlyForgetsWhenAskedAndNamesWhatItLeaves) {
  const Snapshot taken = take("nightly");
  lab.hypervisor.change("database", [](FakeMachine& m) { m.disks["vda"] = "/nonexistent/disks/web-vdb.qcow2"; });
  lab.hypervisor.remove_machine("archive");
  const std::string now = lab.hypervisor.describe();
  DeleteSnapshotRequest request{"nightly"};
  request.forget_only = true;
  const auto plan = lab.remove.plan(request);
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_TRUE(std::ranges::all_of(*plan, &PlannedMerge::stays));
  const auto deleted = lab.delete_snapshot(request);
  ASSERT_TRUE(deleted) << deleted.error().describe();
  EXPECT_TRUE(deleted->forgotten_only);
  ASSERT_EQ(deleted->left_behind.size(), 5U);
  EXPECT_EQ(deleted->left_behind[0], taken.members[0].disks[0].overlay);
  EXPECT_EQ(lab.hypervisor.describe(), now);
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(DeleteSnapshotTest, MarksADiskAsMergedBeforeItsMachineLeavesTheOverlay) {
  const Snapshot taken = take("nightly");
  lab.control.fail_next("mark_merged", ErrorCode::kNoSpace);
  EXPECT_FALSE(lab.delete_snapshot({"nightly"}));
  EXPECT_FALSE(find("nightly").members[0].disks[0].merged);
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), taken.members[0].disks[0].overlay);
  EXPECT_TRUE(find("nightly").members[0].disks[1].merged);
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_THAT(lab.hypervisor.disk_content("web", "vda"), HasSubstr("1=after nightly"));
}

TEST_F(DeleteSnapshotTest, KeepsTheOverlayThatSomebodyHasTakenAwayFromItsMachine) {
  const Snapshot taken = take("nightly");
  const DiskSnapshot& disk = taken.members[0].disks[0];
  lab.hypervisor.change("web", [&](FakeMachine& web) { web.disks["vda"] = disk.frozen.path; });
  const auto deleted = lab.delete_snapshot({"nightly"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(lab.hypervisor.content(disk.overlay), HasSubstr("1=after nightly"));
  lab.hypervisor.change("web", [&](FakeMachine& web) { web.disks["vda"] = disk.overlay; });
  ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
  EXPECT_THAT(lab.hypervisor.disk_content("web", "vda"), HasSubstr("1=after nightly"));
}

TEST_F(DeleteSnapshotTest, PlanNamesEveryMergeAndChangesNothing) {
  const Snapshot taken = take("nightly");
  const std::string now = lab.hypervisor.describe();
  const auto plan = lab.remove.plan({"nightly"});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->size(), 5U);
  EXPECT_EQ(plan->at(0).overlay, taken.members[0].disks[0].overlay);
  EXPECT_EQ(plan->at(0).into, taken.members[0].disks[0].frozen.path);
  EXPECT_EQ(lab.hypervisor.describe(), now);
  EXPECT_EQ(find("nightly").state, SnapshotState::kReady);
}

TEST_F(DeleteSnapshotTest, NamesASnapshotThatIsNotThere) {
  const auto deleted = lab.delete_snapshot({"nobody"});
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::kNotFound);
}

// Whatever call fails, a later attempt finishes, and no guest loses what it wrote.
TEST_F(DeleteSnapshotTest, CanBeFinishedAfterAnyCallHasFailed) {
  for (std::size_t number = 1;; ++number) {
    Lab world;
    world.add_shop();
    ASSERT_TRUE(world.take_of_shop("nightly"));
    world.hypervisor.write("web", "vda", 1, "later");
    world.control.clear();
    world.control.fail_at(number, number % 2 == 0);
    const auto deleted = world.delete_snapshot({"nightly"});
    const auto calls = world.control.calls();
    if (number > calls.size()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    world.control.clear();
    ASSERT_TRUE(world.run_recover());
    const bool is_left = !world.kept.snapshots()->empty();
    EXPECT_EQ(is_left, world.delete_snapshot({"nightly"}).has_value());
    EXPECT_EQ(world.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
    EXPECT_THAT(world.hypervisor.disk_content("web", "vda"), HasSubstr("1=later"));
    EXPECT_THAT(world.left_open(), IsEmpty());
  }
}

}  // namespace
}  // namespace cohort::service
