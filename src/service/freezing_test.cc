#include "service/freezing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TakeSnapshotRequest asking(ConsistencyWish wish) {
  auto request = snapshot_of("shop", "nightly");
  request.consistency = wish;
  request.freeze_deadline = Milliseconds(3000);
  return request;
}

class FreezingTest : public ::testing::Test {
 protected:
  FreezingTest() {
    lab.add_shop();
    before = lab.hypervisor.describe();
  }

  Result<Snapshot> take(ConsistencyWish wish) { return lab.take_snapshot(asking(wish)); }

  void expect_refused(const std::string& words, ErrorCode code = ErrorCode::kInvalidState) {
    const auto taken = take(ConsistencyWish::kApplication);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, code) << taken.error().describe();
    EXPECT_THAT(taken.error().message, HasSubstr(words));
    EXPECT_EQ(lab.control.count("capture"), 0U);
    expect_untouched();
  }

  void expect_untouched() {
    EXPECT_EQ(lab.hypervisor.describe(), before);
    EXPECT_THAT(lab.kept.snapshots().value(), IsEmpty());
    EXPECT_THAT(lab.left_open(), IsEmpty());
    EXPECT_EQ(lab.guard.left_armed(), 0);
  }

  Lab lab;
  std::string before;
};

const MemberConsistency& of(const Snapshot& snapshot, const std::string& name) {
  return std::ranges::find(snapshot.members, name, &MemberSnapshot::name)->consistency;
}

TEST_F(FreezingTest, AsksNoGuestForAnythingUnlessTold) {
  const auto taken = take(ConsistencyWish::kCrash);
  ASSERT_TRUE(taken);
  for (const auto* call : {"freeze", "thaw", "guard_freeze", "guard_thawed"}) {
    EXPECT_EQ(lab.control.count(call), 0U) << call;
  }
  EXPECT_EQ(of(*taken, "web").level, Consistency::kCrash);
  EXPECT_EQ(of(*taken, "web").reason, "");
  EXPECT_EQ(of(*taken, "archive").level, Consistency::kOff);
  EXPECT_EQ(taken->fence.freeze_deadline, Milliseconds(0));
}

TEST_F(FreezingTest, RecordsWhatEachMemberHasReachedAndWhy) {
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.has_freeze_hook = false; });
  const auto taken = take(ConsistencyWish::kApplication);
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(of(*taken, "web").level, Consistency::kApplication);
  EXPECT_EQ(of(*taken, "web").reason, "");
  EXPECT_TRUE(of(*taken, "web").frozen);
  EXPECT_EQ(of(*taken, "database").level, Consistency::kFileSystem);
  EXPECT_THAT(of(*taken, "database").reason, HasSubstr("no freeze hook"));
  EXPECT_EQ(of(*taken, "cache").level, Consistency::kCrash);
  EXPECT_THAT(of(*taken, "cache").reason, HasSubstr("was paused"));
  EXPECT_FALSE(of(*taken, "cache").frozen);
  EXPECT_EQ(of(*taken, "archive").level, Consistency::kOff);
  const auto kept = lab.kept.snapshot(taken->id).value();
  EXPECT_EQ(kept.asked, ConsistencyWish::kApplication);
  EXPECT_EQ(of(kept, "web").level, Consistency::kApplication);
  EXPECT_FALSE(of(kept, "web").may_be_frozen);
  EXPECT_THAT(lab.hypervisor.describe(), Not(HasSubstr("frozen")));
}

TEST_F(FreezingTest, FreezesAllBeforeTheFenceAndThawsThemRightAfterIt) {
  ASSERT_TRUE(take(ConsistencyWish::kApplication));
  EXPECT_LT(lab.control.last("freeze_outlook"), lab.control.first("add_snapshot"));
  EXPECT_LT(lab.control.first("arm"), lab.control.first("update_snapshot creating"));
  EXPECT_LT(lab.control.first("update_snapshot creating"), lab.control.first("guard_freeze"));
  EXPECT_LT(lab.control.first("guard_freeze"), lab.control.first("freeze "));
  EXPECT_LT(lab.control.last("freeze "), lab.control.first("raise"));
  EXPECT_LT(lab.control.last("resume"), lab.control.first("disarm"));
  EXPECT_LT(lab.control.first("disarm"), lab.control.first("thaw"));
  EXPECT_EQ(lab.control.last("thaw").value() + 1, lab.control.first("guard_thawed"));
  EXPECT_LT(lab.control.first("guard_thawed"), lab.control.first("update_snapshot ready"));
  EXPECT_EQ(lab.guard.left_armed(), 0);
}

TEST_F(FreezingTest, HasTheGuardThawBothDeadlinesAfterTheFirstFreezeAtTheLatest) {
  const auto taken = take(ConsistencyWish::kApplication);
  ASSERT_TRUE(taken);
  EXPECT_THAT(lab.guard.fence().freezing, UnorderedElementsAre(taken->members[0].machine, taken->members[1].machine));
  EXPECT_EQ(lab.guard.fence().longest_freeze, Milliseconds(5000));
  EXPECT_EQ(lab.hypervisor.patience, Milliseconds(3000));
}

TEST_F(FreezingTest, IsRecordedBeforeTheFirstGuestIsFrozen) {
  lab.control.before("freeze web", [&] {
    const auto kept = lab.kept.snapshots().value();
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_TRUE(of(kept[0], "web").may_be_frozen && of(kept[0], "database").may_be_frozen);
    EXPECT_FALSE(of(kept[0], "cache").may_be_frozen || of(kept[0], "archive").may_be_frozen);
  });
  ASSERT_TRUE(take(ConsistencyWish::kApplication));
}

TEST_F(FreezingTest, NamesAllThatCannotBeAskedBeforeAnythingIsMade) {
  lab.hypervisor.change("web", [](FakeMachine& machine) { machine.has_agent_channel = false; });
  lab.control.fail_next("freeze_outlook database", ErrorCode::kTimeout);
  expect_refused("\"web\" has no channel");
  EXPECT_THAT(lab.newest_job().error->message, HasSubstr("\"database\": "));
  EXPECT_THAT(lab.newest_job().error->message, HasSubstr("--consistency best"));
  EXPECT_EQ(lab.control.count("create_overlay"), 0U);
  EXPECT_EQ(lab.control.count("freeze "), 0U);
}

TEST_F(FreezingTest, CapturesNobodyAndThawsAllWhenOneCannotBeFrozen) {
  lab.control.fail_next("freeze database", ErrorCode::kHypervisor);
  expect_refused("\"database\": ");
  EXPECT_EQ(lab.control.count("suspend"), 0U);
  EXPECT_EQ(lab.control.count("thaw web"), 1U);
  // It may have been frozen all the same.
  EXPECT_EQ(lab.control.count("thaw database"), 1U);
}

TEST_F(FreezingTest, TakesALateAnswerForNone) {
  lab.control.before("freeze database", [&] { lab.clock.advance(Milliseconds(3001)); });
  lab.control.fail_next("freeze web", ErrorCode::kTimeout);
  expect_refused("\"database\": It was not frozen within 3000 ms.");
}

TEST_F(FreezingTest, CapturesWhoCannotBeFrozenAsItIsWhereTheBestIsWanted) {
  lab.control.fail_next("freeze database", ErrorCode::kHypervisor);
  const auto taken = take(ConsistencyWish::kBest);
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(of(*taken, "web").level, Consistency::kApplication);
  EXPECT_EQ(of(*taken, "database").level, Consistency::kCrash);
  EXPECT_THAT(of(*taken, "database").reason, HasSubstr("freeze database"));
  EXPECT_FALSE(of(*taken, "database").frozen);
  EXPECT_EQ(lab.control.count("thaw database"), 1U);
  EXPECT_THAT(lab.hypervisor.describe(), Not(HasSubstr("frozen")));
}

TEST_F(FreezingTest, FreezesNobodyWhereNoAgentAnswersAndTheBestIsWanted) {
  lab.hypervisor.agents_answer = false;
  const auto taken = take(ConsistencyWish::kBest);
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_THAT(of(*taken, "web").reason, HasSubstr("does not answer"));
  EXPECT_EQ(lab.control.count("guard_freeze"), 0U);
  EXPECT_EQ(lab.control.count("thaw"), 0U);
}

TEST_F(FreezingTest, LeavesAGuestFrozenThatItsOwnerHadFrozen) {
  lab.hypervisor.change("web", [](FakeMachine& machine) { machine.is_frozen_by_owner = true; });
  const auto taken = take(ConsistencyWish::kApplication);
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(of(*taken, "web").level, Consistency::kFileSystem);
  EXPECT_TRUE(of(*taken, "web").frozen_by_others);
  EXPECT_THAT(of(*taken, "web").reason, HasSubstr("Somebody else had frozen"));
  EXPECT_EQ(lab.control.count("freeze web") + lab.control.count("thaw web"), 0U);
  EXPECT_THAT(lab.hypervisor.describe(), HasSubstr("web running vda=/nonexistent/disks/web-vda.cohort-"));
  EXPECT_THAT(lab.hypervisor.describe(), HasSubstr("frozen"));
}

TEST_F(FreezingTest, DoesNotCountAnOwnersFreezeThatHasEnded) {
  lab.hypervisor.change("web", [](FakeMachine& machine) { machine.is_frozen_by_owner = true; });
  lab.control.before("suspend web", [&] {
    lab.hypervisor.change("web", [](FakeMachine& machine) { machine.is_frozen_by_owner = false; });
  });
  const auto taken = take(ConsistencyWish::kBest);
  ASSERT_TRUE(taken);
  EXPECT_EQ(of(*taken, "web").level, Consistency::kCrash);
  EXPECT_THAT(of(*taken, "web").reason, HasSubstr("did not stay so"));
}

TEST_F(FreezingTest, DoesNotCountAFreezeThatSomebodyHasEnded) {
  const auto thaw = [&] { lab.hypervisor.change("web", [](FakeMachine& machine) { machine.frozen = 1; }); };
  lab.control.before("capture web", thaw);
  const auto taken = take(ConsistencyWish::kBest);
  ASSERT_TRUE(taken);
  EXPECT_EQ(of(*taken, "web").level, Consistency::kCrash);
  EXPECT_THAT(of(*taken, "web").reason, HasSubstr("Of 2 frozen file systems only 1"));
  EXPECT_EQ(of(*taken, "database").level, Consistency::kApplication);
}

TEST_F(FreezingTest, TakesTheSnapshotBackWhenTheFreezeHasNotLasted) {
  lab.hypervisor.change("web", [](FakeMachine& machine) { machine.complaint = "couldn't hold writes"; });
  const auto taken = take(ConsistencyWish::kApplication);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(taken.error().message, HasSubstr("couldn't hold writes"));
  expect_untouched();
}

TEST_F(FreezingTest, ThawsAtOnceWhenTheFenceFails) {
  lab.control.fail_next("capture archive", ErrorCode::kIo);
  const auto taken = take(ConsistencyWish::kApplication);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kIo);
  EXPECT_LT(lab.control.last("thaw"), lab.control.first("merge_overlay"));
  expect_untouched();
}

TEST_F(FreezingTest, TriesAgainToThaw) {
  lab.control.fail_next("thaw web", ErrorCode::kTimeout);
  const auto taken = take(ConsistencyWish::kApplication);
  ASSERT_TRUE(taken) << taken.error().describe();
  EXPECT_EQ(of(*taken, "web").level, Consistency::kApplication);
  EXPECT_EQ(lab.control.count("thaw web"), 2U);
}

TEST_F(FreezingTest, DoesNotWaitToThawAMachineThatHasVanished) {
  lab.control.before("thaw web", [&] { lab.hypervisor.remove_machine("web"); });
  const auto taken = take(ConsistencyWish::kBest);
  EXPECT_TRUE(taken) << taken.error().describe();
}

// Tries for half a minute, and ten seconds more when it is taken back.
TEST_F(FreezingTest, NamesAGuestLoudlyThatCannotBeThawedAndKeepsTryingLater) {
  lab.control.fail_always("thaw web", ErrorCode::kTimeout);
  const auto taken = take(ConsistencyWish::kBest);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, AllOf(HasSubstr("THE FILE SYSTEMS OF \"web\" MAY STILL BE FROZEN"),
                                           HasSubstr("fsfreeze -u"), HasSubstr("Not taken back")));
  EXPECT_EQ(lab.guard.left_armed(), 1);
  // All else is as before.
  EXPECT_THAT(lab.hypervisor.describe(), Not(HasSubstr(".cohort-")));
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
  lab.control.clear();
  lab.hypervisor.set_power("database", PowerState::kPaused);  // by its user, meanwhile
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(lab.control.count("resume"), 0U);
  EXPECT_EQ(lab.control.count("thaw database"), 0U);
  lab.hypervisor.set_power("database", PowerState::kRunning);
  EXPECT_EQ(lab.hypervisor.describe(), before);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

// It would stop letting machines run.
TEST_F(FreezingTest, DoesNotTellTheGuardOfTheThawWhileAMachineStandsStill) {
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.has_agent_channel = false; });
  lab.control.fail_always("resume database", ErrorCode::kHypervisor);
  ASSERT_FALSE(take(ConsistencyWish::kBest));
  EXPECT_GT(lab.control.count("thaw web"), 0U);
  EXPECT_EQ(lab.control.count("guard_thawed"), 0U);
  EXPECT_EQ(lab.guard.left_armed(), 1);
}

TEST_F(FreezingTest, RecoveryThawsTheOthersOfAMachineThatCannotBeResumed) {
  lab.control.before("capture", [&] { lab.control.die(); });
  ASSERT_FALSE(take(ConsistencyWish::kBest));
  ASSERT_THAT(lab.hypervisor.describe(), HasSubstr("web-vdb.qcow2 frozen"));
  ASSERT_EQ(lab.hypervisor.power("database"), PowerState::kPaused);
  lab.control.clear();
  lab.control.fail_always("resume database", ErrorCode::kHypervisor);
  static_cast<void>(lab.run_recover());
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kRunning);
  EXPECT_THAT(lab.hypervisor.describe(), Not(HasSubstr("web-vdb.qcow2 frozen")));
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(lab.hypervisor.describe(), before);
}

TEST_F(FreezingTest, PlanAsksAndFreezesNobody) {
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.has_agent_channel = false; });
  const auto plan = lab.take.plan(asking(ConsistencyWish::kBest));
  ASSERT_TRUE(plan);
  EXPECT_EQ(of(*plan, "web").level, Consistency::kApplication);
  EXPECT_THAT(of(*plan, "database").reason, HasSubstr("no channel"));
  EXPECT_FALSE(lab.take.plan(asking(ConsistencyWish::kApplication)));
  EXPECT_EQ(lab.control.count("freeze "), 0U);
  EXPECT_EQ(lab.hypervisor.describe(), before);
}

TEST_F(FreezingTest, RefusesAFreezeDeadlineOutOfBounds) {
  for (const auto deadline : {Milliseconds(999), Milliseconds(300'001)}) {
    auto request = asking(ConsistencyWish::kBest);
    request.freeze_deadline = deadline;
    EXPECT_EQ(lab.take_snapshot(request).error().code, ErrorCode::kInvalidArgument);
  }
}

// --- any call that fails, any moment at which the process dies ---

void check_after_recovery(Lab& lab, const std::string& before, bool may_be_taken) {
  lab.control.clear();
  const auto recovered = lab.run_recover();
  ASSERT_TRUE(recovered) << recovered.error().describe();
  EXPECT_THAT(lab.left_open(), IsEmpty());
  EXPECT_THAT(lab.hypervisor.describe(), Not(HasSubstr("frozen")));
  const auto kept = lab.kept.snapshots().value();
  if (may_be_taken && !kept.empty()) {
    EXPECT_EQ(kept[0].state, SnapshotState::kReady);
    EXPECT_FALSE(of(kept[0], "web").may_be_frozen || of(kept[0], "database").may_be_frozen);
  } else {
    EXPECT_EQ(lab.hypervisor.describe(), before);
    EXPECT_THAT(kept, IsEmpty());
  }
}

class OneFailureOfAFreeze : public ::testing::TestWithParam<std::tuple<ConsistencyWish, bool>> {};

// With its effect, or without: nothing stays frozen, and no member is said to have been frozen that was not.
TEST_P(OneFailureOfAFreeze, LeavesNothingFrozen) {
  const auto [wish, has_effect] = GetParam();
  for (std::size_t number = 1;; ++number) {
    Lab lab;
    lab.add_shop();
    const std::string before = lab.hypervisor.describe();
    lab.control.fail_at(number, has_effect);
    const auto taken = lab.take_snapshot(asking(wish));
    const auto calls = lab.control.calls();
    if (number > calls.size()) {
      EXPECT_TRUE(taken);
      EXPECT_GT(number, 31U) << "too few calls were failed";
      break;
    }
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    if (calls[number - 1].starts_with("freeze ") && taken) {
      EXPECT_EQ(of(*taken, calls[number - 1].substr(7)).level, Consistency::kCrash);
    }
    check_after_recovery(lab, before, taken.has_value() || has_effect);
  }
}

INSTANTIATE_TEST_SUITE_P(FreezingTest, OneFailureOfAFreeze,
                         ::testing::Combine(::testing::Values(ConsistencyWish::kApplication, ConsistencyWish::kBest),
                                            ::testing::Bool()));

TEST(DeathOfAFreeze, LeavesNothingFrozenAtAnyMoment) {
  for (std::size_t number = 1;; ++number) {
    Lab lab;
    lab.add_shop();
    const std::string before = lab.hypervisor.describe();
    lab.control.die_at(number);
    const auto taken = lab.take_snapshot(asking(ConsistencyWish::kApplication));
    const auto calls = lab.control.calls();
    if (taken) {
      EXPECT_GT(number, 31U) << "too few moments";
      break;
    }
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    check_after_recovery(lab, before, calls[number - 1] == "finish_job");
  }
}

}  // namespace
}  // namespace cohort::service
