#include "service/fence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class FenceTest : public ::testing::Test {
 protected:
  FenceTest() {
    lab.add_shop();
    before = lab.hypervisor.describe();
  }

  void expect_void(ErrorCode code, const std::string& words) {
    const auto taken = lab.take_of_shop("nightly");
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, code) << taken.error().describe();
    EXPECT_THAT(taken.error().describe(), HasSubstr(words));
    EXPECT_EQ(lab.hypervisor.describe(), before);
    EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }

  Lab lab;
  std::string before;
};

TEST_F(FenceTest, CommitsItsIntentWithAnInstantBeforeTheFirstMemberStandsStill) {
  lab.control.before("suspend", [&] {
    const auto snapshots = lab.kept.snapshots().value();
    ASSERT_EQ(snapshots.size(), 1U);
    EXPECT_NE(snapshots[0].instant, WallTime{});
    EXPECT_EQ(snapshots[0].state, SnapshotState::kCreating);
  });
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  EXPECT_LT(lab.control.first("update_snapshot creating"), lab.control.first("suspend"));
}

TEST_F(FenceTest, ArmsAndRaisesTheGuardBeforeTheFirstMemberStandsStillAndDisarmsItLast) {
  ASSERT_TRUE(lab.take_snapshot(snapshot_of("shop", "nightly", Milliseconds(500))));
  EXPECT_LT(lab.control.first("arm"), lab.control.first("update_snapshot creating"));
  EXPECT_LT(lab.control.first("update_snapshot creating"), lab.control.first("raise"));
  EXPECT_LT(lab.control.first("raise"), lab.control.first("suspend"));
  EXPECT_LT(lab.control.last("resume"), lab.control.first("disarm"));
  EXPECT_EQ(lab.guard.fence().deadline, Milliseconds(500));
  EXPECT_EQ(lab.guard.left_armed(), 0);
}

TEST_F(FenceTest, WatchesPausesFromBeforeTheFence) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  EXPECT_LT(lab.control.first("watch_pauses"), lab.control.first("suspend"));
}

TEST_F(FenceTest, CapturesNoMemberBeforeAllStandStillAndResumesNoneBeforeAllAreCaptured) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  EXPECT_LT(lab.control.last("suspend"), lab.control.first("capture"));
  EXPECT_LT(lab.control.last("capture"), lab.control.first("resume"));
  EXPECT_EQ(lab.control.count("capture"), 4U);
}

TEST_F(FenceTest, StopsAndGuardsOnlyMembersThatRun) {
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_TRUE(taken);
  EXPECT_THAT(lab.guard.fence().machines, UnorderedElementsAre(taken->members[0].machine, taken->members[1].machine));
  for (const auto* name : {"cache", "archive"}) {
    EXPECT_EQ(lab.control.count(fmt::format("suspend {}", name)), 0U);
    EXPECT_EQ(lab.control.count(fmt::format("resume {}", name)), 0U);
  }
}

TEST_F(FenceTest, IsNotNeededByMembersThatAreOff) {
  lab.add_collection("cold", {"archive"});
  const auto taken = lab.take_snapshot(snapshot_of("cold"));
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(lab.control.count("suspend"), 0U);
  EXPECT_FALSE(taken->fence.overlap_begin);
}

TEST_F(FenceTest, IsVoidWhenTheGuardHadToAct) {
  lab.guard.act();
  expect_void(ErrorCode::kTimeout, "The guard let the machines run");
}

TEST_F(FenceTest, IsVoidWhenMembersStandStillTooLate) {
  lab.control.before("suspend database", [&] { lab.clock.advance(Milliseconds(2001)); });
  expect_void(ErrorCode::kTimeout, "within 2000 ms");
  EXPECT_EQ(lab.control.count("capture"), 0U);
}

TEST_F(FenceTest, IsVoidWhenCapturingTakesTooLong) {
  lab.control.before("capture database", [&] { lab.clock.advance(Milliseconds(2001)); });
  expect_void(ErrorCode::kTimeout, "2000 ms");
}

TEST_F(FenceTest, IsVoidWhenAMemberWasResumedMeanwhile) {
  lab.control.before("capture archive", [&] {
    lab.hypervisor.set_power("web", PowerState::kRunning);
    lab.hypervisor.set_power("web", PowerState::kPaused);
  });
  expect_void(ErrorCode::kTimeout, "was let run before all were captured");
}

TEST_F(FenceTest, IsVoidWhenAMemberThatStoodStillOrWasOffRanMeanwhile) {
  for (const std::string name : {"cache", "archive"}) {
    const PowerState was = lab.hypervisor.power(name);
    lab.control.before("capture web", [&] { lab.hypervisor.set_power(name, PowerState::kRunning); });
    const auto taken = lab.take_of_shop("nightly");
    ASSERT_FALSE(taken) << name;
    EXPECT_THAT(taken.error().message, HasSubstr(fmt::format("\"{}\"", name)));
    EXPECT_EQ(lab.hypervisor.power(name), PowerState::kRunning) << "nobody stops it again";
    lab.hypervisor.set_power(name, was);
    EXPECT_EQ(lab.hypervisor.describe(), before) << name;
    EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
  }
}

TEST_F(FenceTest, GivesTheGuardUpArmedWhenAMemberCannotBeResumed) {
  lab.control.fail_always("resume web", ErrorCode::kHypervisor);
  const auto taken = lab.take_of_shop("nightly");  // tries for ten seconds
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("Not taken back"));
  EXPECT_EQ(lab.guard.left_armed(), 1);
  EXPECT_EQ(lab.hypervisor.power("database"), PowerState::kRunning);
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(lab.hypervisor.describe(), before);
}

TEST_F(FenceTest, TriesAgainToResumeAMember) {
  lab.control.fail_next("resume web", ErrorCode::kTimeout);
  EXPECT_TRUE(lab.take_of_shop("nightly"));
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
}

TEST_F(FenceTest, DoesNotWaitForAMemberThatHasVanished) {
  lab.control.before("resume web", [&] { lab.hypervisor.remove_machine("web"); });
  const auto taken = lab.take_of_shop("nightly");
  EXPECT_TRUE(taken) << taken.error().describe();
}

// The user's own pause, made between the check and the fence, is not lifted when the fence fails because of it.
TEST_F(FenceTest, LeavesAMemberPausedThatItsUserPausedMeanwhile) {
  lab.control.before("suspend web", [&] { lab.hypervisor.set_power("web", PowerState::kPaused); });
  const auto taken = lab.take_of_shop("nightly");
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kInvalidState);
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kPaused);
  EXPECT_EQ(lab.hypervisor.power("database"), PowerState::kRunning);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

}  // namespace
}  // namespace cohort::service
