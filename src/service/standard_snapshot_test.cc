// Snapshots with the memory of their machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/take_snapshot.h"
#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StandardSnapshotTest : public ::testing::Test {
 protected:
  StandardSnapshotTest() { lab.add_shop(); }

  static TakeSnapshotRequest standard() {
    TakeSnapshotRequest request;
    request.collection = "shop";
    request.name = "before";
    request.kind = SnapshotKind::kStandard;
    return request;
  }

  void expect_refused(const TakeSnapshotRequest& request, ErrorCode code, const std::string& words) {
    const std::string before = lab.hypervisor.describe();
    const auto taken = lab.take_snapshot(request);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, code) << taken.error().describe();
    EXPECT_THAT(taken.error().message, HasSubstr(words));
    EXPECT_EQ(lab.hypervisor.describe(), before);
    EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }

  Lab lab;
};

TEST_F(StandardSnapshotTest, KeepsTheMemoryOfThoseThatRunOrArePausedAndTheDefinitionsOfAll) {
  const auto taken = lab.take_snapshot(standard());
  ASSERT_TRUE(taken) << taken.error().describe();
  const Snapshot kept = lab.kept.snapshot(taken->id).value();
  EXPECT_EQ(kept.kind, SnapshotKind::kStandard);
  for (const auto& member : kept.members) {
    EXPECT_EQ(member.definition, "definition of " + member.name);
    ASSERT_EQ(member.memory.has_value(), member.power != PowerState::kOff) << member.name;
    if (!member.memory) continue;
    EXPECT_EQ(lab.hypervisor.saved_memory(member.memory->file), "memory of " + member.name);
    EXPECT_EQ(member.memory->bytes, ("memory of " + member.name).size());
    EXPECT_EQ(member.memory->file.parent_path(), member.disks.front().overlay.parent_path());
  }
}

TEST_F(StandardSnapshotTest, KeepsNoMemoryWhereOnlyDisksAreWanted) {
  auto request = standard();
  request.without_memory = true;
  const auto taken = lab.take_snapshot(request);
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(taken->kind, SnapshotKind::kStandard);
  EXPECT_EQ(taken->fence.deadline, Milliseconds(2000));
  for (const auto& member : taken->members) EXPECT_FALSE(member.memory) << member.name;
  EXPECT_FALSE(lab.guard.fence().saves_memory);
}

TEST_F(StandardSnapshotTest, AllowsTwiceTheEstimateOnTopUnlessADeadlineIsGiven) {
  const auto plan = lab.take.plan(standard());
  ASSERT_TRUE(plan) << plan.error().describe();
  // Three machines of 64 MiB that are not off, at 200 MiB a second.
  EXPECT_EQ(memory_bytes(*plan), 3ULL * 64 << 20U);
  EXPECT_EQ(estimated_saving(*plan), Milliseconds(960));
  EXPECT_EQ(plan->fence.deadline, Milliseconds(2000 + 2 * 960));
  auto request = standard();
  request.deadline = Milliseconds(600'000);
  ASSERT_TRUE(lab.take_snapshot(request));
  EXPECT_EQ(lab.guard.fence().deadline, Milliseconds(600'000));
  EXPECT_TRUE(lab.guard.fence().saves_memory);
}

TEST_F(StandardSnapshotTest, HasALongerDeadlineOnlyForMemory) {
  auto request = standard();
  request.deadline = Milliseconds(30'001);
  request.without_memory = true;
  expect_refused(request, ErrorCode::kInvalidArgument, "100 to 30000 ms");
}

TEST_F(StandardSnapshotTest, FreezesNoGuestWhoseMemoryItKeeps) {
  auto request = standard();
  request.consistency = ConsistencyWish::kBest;
  expect_refused(request, ErrorCode::kInvalidArgument, "--disk-only");
}

TEST_F(StandardSnapshotTest, RefusesAMachineThatIsGoneWhenItStops) {
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.definition.clear(); });
  expect_refused(standard(), ErrorCode::kUnsupported, "\"database\" has no definition");
}

TEST_F(StandardSnapshotTest, RefusesAMachineWithoutADiskBesideWhichItsMemoryWouldBe) {
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.disks.clear(); });
  expect_refused(standard(), ErrorCode::kUnsupported, "\"database\" has no disk");
}

TEST_F(StandardSnapshotTest, LeavesNoMemoryAndStopsSavingThatOfOthersWhenOneFails) {
  lab.control.fail_next("capture database", ErrorCode::kHypervisor);
  expect_refused(standard(), ErrorCode::kHypervisor, "capture database");
  EXPECT_GE(lab.control.count("stop_saving web"), 1U);
}

TEST_F(StandardSnapshotTest, SaysThatItWasCancelledWhereThatStoppedTheSaving) {
  std::stop_source stop;
  lab.control.before("capture database", [&] {
    stop.request_stop();
    lab.control.fail_next("capture web", ErrorCode::kHypervisor);
  });
  lab.control.fail_next("capture database", ErrorCode::kHypervisor);
  const auto taken = lab.take_snapshot(standard(), {stop.get_token(), {}});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kCancelled) << taken.error().describe();
  EXPECT_GE(lab.control.count("stop_saving web"), 1U);
}

TEST_F(StandardSnapshotTest, StopsTheSavingThatADeadProcessHasLeftBeforeItTakesBack) {
  const std::string before = lab.hypervisor.describe();
  lab.control.before("capture web", [this] { lab.control.die(); });
  ASSERT_FALSE(lab.take_snapshot(standard()));
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  EXPECT_LT(lab.control.first("stop_saving web"), lab.control.first("resume web"));
  EXPECT_EQ(lab.hypervisor.describe(), before);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(StandardSnapshotTest, IsDeletedWithItsMemory) {
  ASSERT_TRUE(lab.take_snapshot(standard()));
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  EXPECT_THAT(lab.hypervisor.describe(), ::testing::Not(HasSubstr(".mem")));
}

}  // namespace
}  // namespace cohort::service
