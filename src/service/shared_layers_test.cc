#include "service/shared_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "service/doctor.h"
#include "service/lookup.h"
#include "service/testing/lab.h"
#include "service/testing/lives.h"

namespace cohort::service {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SnapshotTreeTest : public ::testing::Test {
 protected:
  // "before" with the branches "one" and "two"; the machines go on from "two".
  SnapshotTreeTest() {
    lab.add_shop();
    live_on(lab, "early");
    EXPECT_TRUE(lab.take_snapshot(standard("before")));
    live_on(lab, "late");
    late = lives(lab);
    EXPECT_TRUE(lab.take_snapshot(standard("one")));
    EXPECT_TRUE(lab.apply_snapshot(to("before")));
    live_on(lab, "other");
    EXPECT_TRUE(lab.take_snapshot(standard("two")));
    live_on(lab, "current");
    current = lives(lab);
  }

  Snapshot named(const std::string& name) { return find_snapshot(lab.kept, name).value(); }

  Lab lab;
  std::string late;
  std::string current;
};

TEST_F(SnapshotTreeTest, RemovesABranchThatNobodyGoesOnFrom) {
  ASSERT_TRUE(lab.delete_snapshot({"one"}));
  EXPECT_EQ(lives(lab), current);
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  ASSERT_TRUE(lab.delete_snapshot({"two"}));
  EXPECT_EQ(lives(lab), current);
  // Everything is on the machines' own files again: one line for each disk and for each machine.
  EXPECT_EQ(std::ranges::count(lab.hypervisor.describe(), '\n'), 5 + 4);
}

TEST_F(SnapshotTreeTest, LeavesTheFilesThatTwoBranchesStandOnWithoutAName) {
  const SnapshotId before = named("before").id;
  const auto deleted = lab.delete_snapshot({"before"});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  ASSERT_THAT(deleted->shared, SizeIs(1));
  EXPECT_EQ(deleted->shared[0].name, "before");
  EXPECT_THAT(deleted->shared[0].branches, ElementsAre("one", "two"));
  EXPECT_EQ(lives(lab), current);
  EXPECT_FALSE(find_snapshot(lab.kept, "before"));
  EXPECT_FALSE(find_snapshot(lab.kept, before.str()));
  EXPECT_THAT(list_snapshots(lab.kept, {}).value(), SizeIs(2));
  EXPECT_FALSE(named("one").parent);
  EXPECT_FALSE(named("two").parent);
  EXPECT_THAT(lab.left_open(), IsEmpty());
  // The name is free, the secrets are gone, and so are the memory and what else was kept of the machines.
  const Snapshot left = lab.kept.snapshot(before).value();
  EXPECT_EQ(left.state, SnapshotState::kShared);
  for (const auto& member : left.members) EXPECT_EQ(member.configuration + member.definition, "");
  EXPECT_FALSE(std::filesystem::exists(lab.kept.snapshot_folder(before)));
  ASSERT_TRUE(lab.take_snapshot(standard("before")));
  // Both branches can be gone to.
  ASSERT_TRUE(lab.apply_snapshot(to("one")));
  EXPECT_EQ(lives(lab), late);
}

TEST_F(SnapshotTreeTest, KnowsThatTheMachinesGoOnFromWhatIsSeenNoMore) {
  ASSERT_TRUE(lab.apply_snapshot(to("before")));
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  EXPECT_FALSE(named("one").is_current);
  EXPECT_FALSE(named("two").is_current);
  ASSERT_TRUE(lab.take_snapshot(standard("three")));
  EXPECT_FALSE(named("three").parent);
  EXPECT_TRUE(named("three").is_current);
  ASSERT_TRUE(lab.take_snapshot(standard("four")));
  EXPECT_EQ(named("four").parent, named("three").id);
  // What stands between is seen no more: its children hang on what is below.
  ASSERT_TRUE(lab.apply_snapshot(to("three")));
  ASSERT_TRUE(lab.take_snapshot(standard("five")));
  ASSERT_TRUE(lab.apply_snapshot(to("three")));
  ASSERT_TRUE(lab.delete_snapshot({"three"}));
  EXPECT_FALSE(named("four").parent);
  ASSERT_TRUE(lab.take_snapshot(standard("six")));
  EXPECT_TRUE(named("six").is_current);
}

TEST_F(SnapshotTreeTest, DeletesASubtreeThroughWhatIsSeenNoMore) {
  ASSERT_TRUE(lab.take_snapshot(standard("three")));
  ASSERT_TRUE(lab.apply_snapshot(to("two")));
  ASSERT_TRUE(lab.take_snapshot(standard("four")));
  const std::string now = lives(lab);
  ASSERT_TRUE(lab.delete_snapshot({"two"}));
  EXPECT_EQ(named("four").parent, named("before").id);
  ASSERT_TRUE(lab.delete_snapshot({"before", Unmergeable::kRefused, false, false, true}));
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
  EXPECT_EQ(lives(lab), now);
  EXPECT_EQ(std::ranges::count(lab.hypervisor.describe(), '\n'), 5 + 4);
}

TEST_F(SnapshotTreeTest, LeavesOnlyWhatIsReadyToBranches) {
  for (const auto state : {SnapshotState::kCreating, SnapshotState::kDeleting, SnapshotState::kShared}) {
    Snapshot snapshot = named("before");
    snapshot.state = state;
    EXPECT_EQ(retire(snapshot, lab.kept).error().code, ErrorCode::kInvalidState);
  }
  EXPECT_EQ(named("before").state, SnapshotState::kReady);
}

TEST_F(SnapshotTreeTest, MergesWhatWasSharedWhenOneBranchIsLeft) {
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  const auto deleted = lab.delete_snapshot({"one"});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  ASSERT_THAT(deleted->merged_layers, SizeIs(1));
  EXPECT_THAT(deleted->merged_layers[0], HasSubstr("before"));
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
  EXPECT_EQ(lives(lab), current);
  ASSERT_TRUE(lab.delete_snapshot({"two"}));
  EXPECT_EQ(lives(lab), current);
  EXPECT_EQ(std::ranges::count(lab.hypervisor.describe(), '\n'), 5 + 4);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(SnapshotTreeTest, MergesWhatWasSharedIntoTheBranchThatIsLeftWhenTheOtherOneWasCurrent) {
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  ASSERT_TRUE(lab.apply_snapshot(to("one")));
  ASSERT_TRUE(lab.delete_snapshot({"two"}));
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
  EXPECT_EQ(lives(lab), late);
  ASSERT_TRUE(lab.delete_snapshot({"one"}));
  EXPECT_EQ(lives(lab), late);
  EXPECT_EQ(std::ranges::count(lab.hypervisor.describe(), '\n'), 5 + 4);
}

TEST_F(SnapshotTreeTest, KeepsSharedFilesThatCannotBeMergedAndSaysWhy) {
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  Doctor doctor{lab.hypervisor, lab.store};
  EXPECT_THAT(doctor.examine({})->ailments, Each(Field(&Ailment::kind, AilmentKind::kPausedMachine)));
  // A disk of "archive" is somebody else's.
  lab.hypervisor.change("archive",
                        [](FakeMachine& machine) { machine.disks["vda"] = "/nonexistent/disks/web-vda.qcow2"; });
  const auto deleted = lab.delete_snapshot({"one"});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  ASSERT_THAT(deleted->shared, SizeIs(1));
  EXPECT_THAT(deleted->shared[0].branches, IsEmpty());
  EXPECT_THAT(deleted->shared[0].why, HasSubstr("archive"));
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(2));
  // The doctor names them, and forgets them if told to.
  const auto ailments = doctor.examine({})->ailments;
  const auto found = std::ranges::find(ailments, AilmentKind::kBrokenLayers, &Ailment::kind);
  ASSERT_NE(found, ailments.end());
  EXPECT_TRUE(found->is_mendable);
  const auto mended = lab.engine.run<DoctorReport>(JobType::kMend, "test", {}, [&](JobContext& job) {
    return doctor.mend({{}, {found->id}}, job);
  });
  ASSERT_TRUE(mended) << mended.error().describe();
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
}

// "before" with the branches "one" and "two", the machines going on from "two"; both are deleted, first the fork.
struct Fork {
  Fork() {
    lab.add_shop();
    live_on(lab, "early");
    EXPECT_TRUE(lab.take_snapshot(standard("before")));
    live_on(lab, "late");
    EXPECT_TRUE(lab.take_snapshot(standard("one")));
    EXPECT_TRUE(lab.apply_snapshot(to("before")));
    live_on(lab, "other");
    EXPECT_TRUE(lab.take_snapshot(standard("two")));
    current = lives(lab);
    lab.control.clear();
  }

  void remove() {
    static_cast<void>(lab.delete_snapshot({"before"}));
    static_cast<void>(lab.delete_snapshot({"one"}));
  }

  // What is left can be deleted, and nothing of it has changed what the machines hold.
  void expect_whole() {
    EXPECT_THAT(lab.left_open(), IsEmpty());
    EXPECT_EQ(lives(lab), current);
    const auto left = list_snapshots(lab.kept, {}).value();
    for (const auto& snapshot : left) {
      const auto deleted = lab.delete_snapshot({snapshot.id.str()});
      EXPECT_TRUE(deleted) << snapshot.name << ": " << deleted.error().describe();
    }
    EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
    EXPECT_EQ(lives(lab), current);
    EXPECT_EQ(std::ranges::count(lab.hypervisor.describe(), '\n'), 5 + 4);
  }

  Lab lab;
  std::string current;
};

TEST(DeleteFork, IsWholeAfterADeathAtAnyCall) {
  for (std::size_t number = 1;; ++number) {
    Fork fork;
    fork.lab.control.die_at(number);
    fork.remove();
    if (!fork.lab.control.is_dead()) {
      EXPECT_GT(number, 60U);
      return;
    }
    SCOPED_TRACE(fmt::format("death after call {}: {}", number, fork.lab.control.calls()[number - 1]));
    fork.lab.control.clear();
    ASSERT_TRUE(fork.lab.run_recover());
    const bool is_shared_no_more = !find_snapshot(fork.lab.kept, "one");
    if (is_shared_no_more) {
      EXPECT_THAT(fork.lab.kept.snapshots().value(), SizeIs(1));
    }
    fork.expect_whole();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(DeleteFork, IsWholeAfterAFailureOfAnyCall) {
  for (const bool has_effect : {false, true}) {
    for (std::size_t number = 1;; ++number) {
      Fork fork;
      fork.lab.control.fail_at(number, has_effect);
      fork.remove();
      if (fork.lab.control.calls().size() < number) break;
      SCOPED_TRACE(fmt::format("failure of call {}: {}", number, fork.lab.control.calls()[number - 1]));
      fork.lab.control.clear();
      ASSERT_TRUE(fork.lab.run_recover());
      fork.expect_whole();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST_F(SnapshotTreeTest, DeletesTheBranchThatTheMachinesGoOnFromByMerging) {
  ASSERT_TRUE(lab.delete_snapshot({"two"}));
  EXPECT_EQ(lives(lab), current);
  EXPECT_TRUE(named("before").is_current);
  ASSERT_TRUE(lab.apply_snapshot(to("one")));
  EXPECT_EQ(lives(lab), late);
}

TEST_F(SnapshotTreeTest, DeletesASubtreeFromItsEnds) {
  ASSERT_TRUE(lab.delete_snapshot({"before", Unmergeable::kRefused, false, false, true}));
  EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
  EXPECT_EQ(lives(lab), current);
  EXPECT_EQ(std::ranges::count(lab.hypervisor.describe(), '\n'), 5 + 4);
}

TEST_F(SnapshotTreeTest, LeavesWhatAMergeWouldTakeFromUnderAnotherBranch) {
  // "three" stands on "two", as does "four": merging "before" would take away what "two" has frozen.
  ASSERT_TRUE(lab.delete_snapshot({"one"}));
  ASSERT_TRUE(lab.take_snapshot(standard("three")));
  ASSERT_TRUE(lab.apply_snapshot(to("two")));
  current = lives(lab);
  ASSERT_TRUE(lab.take_snapshot(standard("four")));
  const auto deleted = lab.delete_snapshot({"before"});
  ASSERT_TRUE(deleted) << deleted.error().describe();
  ASSERT_THAT(deleted->shared, SizeIs(1));
  EXPECT_THAT(deleted->shared[0].branches, Contains("three"));
  ASSERT_TRUE(lab.delete_snapshot({"two"}));
  EXPECT_EQ(lives(lab), current);
  // Both are merged when one branch is left.
  EXPECT_THAT(lab.delete_snapshot({"three"}).value().merged_layers, SizeIs(2));
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
  EXPECT_EQ(lives(lab), current);
}

TEST_F(SnapshotTreeTest, ToldWhatWouldBecomeOfTheFilesChangesNothing) {
  const std::string world = lab.hypervisor.describe();
  const auto alone = lab.remove.plan({"before"}).value();
  for (const auto& merge : alone) EXPECT_TRUE(merge.is_shared && merge.stays);
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  // With "one", what only it holds is removed, and what was shared is merged: two times five disks.
  const auto merges = lab.remove.plan({"one"}).value();
  EXPECT_THAT(merges, SizeIs(10));
  for (const auto& merge : merges) EXPECT_FALSE(merge.stays);
  EXPECT_EQ(lab.kept.snapshots().value().size(), 3U);
}

}  // namespace
}  // namespace cohort::service
