#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class SnapshotVerbs : public testing::Test {
 protected:
  Program program;
  SessionRecord& session = program.session;
};

TEST_F(SnapshotVerbs, TakeUsesDefaultsWhereNothingIsSaid) {
  EXPECT_EQ(program.run({"snapshot", "take", "shop"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("take_snapshot"));
  EXPECT_EQ(session.take_request.collection, "shop");
  EXPECT_EQ(session.take_request.name, "");
  EXPECT_EQ(session.take_request.deadline, std::nullopt);
  EXPECT_EQ(session.take_request.kind, SnapshotKind::kRecovery);
  EXPECT_EQ(session.take_request.consistency, ConsistencyWish::kCrash);
  EXPECT_EQ(session.take_request.freeze_deadline, Milliseconds{10'000});
  EXPECT_FALSE(session.take_request.ignore_non_snapshottable);
  EXPECT_THAT(program.out(), AllOf(HasSubstr("before-upgrade"), HasSubstr("proven: all 2 machines")));
}

TEST_F(SnapshotVerbs, TakeHandsOnItsOptions) {
  EXPECT_EQ(program.run({"snapshot", "take", "shop", "--name", "n", "--deadline", "500", "--ignore-non-snapshottable",
                         "--consistency", "best", "--freeze-deadline", "3000"}),
            0);
  EXPECT_EQ(session.take_request.name, "n");
  EXPECT_EQ(session.take_request.deadline, Milliseconds{500});
  EXPECT_TRUE(session.take_request.ignore_non_snapshottable);
  EXPECT_EQ(session.take_request.consistency, ConsistencyWish::kBest);
  EXPECT_EQ(session.take_request.freeze_deadline, Milliseconds{3000});
}

TEST_F(SnapshotVerbs, TakeKnowsStandardSnapshotsWithAndWithoutMemory) {
  EXPECT_EQ(program.run({"snapshot", "take", "shop", "--standard"}), 0);
  EXPECT_EQ(session.take_request.kind, SnapshotKind::kStandard);
  EXPECT_FALSE(session.take_request.without_memory);
  EXPECT_EQ(program.run({"snapshot", "take", "shop", "--disk-only"}), 0);
  EXPECT_EQ(session.take_request.kind, SnapshotKind::kStandard);
  EXPECT_TRUE(session.take_request.without_memory);
}

TEST_F(SnapshotVerbs, ApplyKeepsWhatIsCurrentOnlyWhereThatIsWanted) {
  EXPECT_EQ(program.run({"snapshot", "apply", "x"}), 0);
  EXPECT_FALSE(session.apply_request.keep_current);
  EXPECT_EQ(session.apply_request.deadline, std::nullopt);
  EXPECT_EQ(program.run({"snapshot", "apply", "x", "--keep-current", "--deadline", "9000"}), 0);
  EXPECT_TRUE(session.apply_request.keep_current);
  EXPECT_EQ(session.apply_request.name, "");
  EXPECT_EQ(session.apply_request.deadline, Milliseconds{9000});
  EXPECT_EQ(program.run({"snapshot", "apply", "x", "--keep-current=after"}), 0);
  EXPECT_EQ(session.apply_request.name, "after");
}

TEST_F(SnapshotVerbs, TakeRefusesAConsistencyThatItDoesNotKnow) {
  EXPECT_EQ(program.run({"snapshot", "take", "shop", "--consistency", "perfect"}), 2);
  EXPECT_THAT(program.err(), AllOf(HasSubstr("perfect"), HasSubstr("crash, best or application")));
  EXPECT_THAT(session.calls, ElementsAre());
}

TEST_F(SnapshotVerbs, TakeRefusesADeadlineThatIsNoNumber) {
  EXPECT_EQ(program.run({"snapshot", "take", "shop", "--deadline", "soon"}), 2);
  EXPECT_THAT(program.err(), HasSubstr("soon"));
  EXPECT_THAT(session.calls, ElementsAre());
}

TEST_F(SnapshotVerbs, DryRunsOnlyPlan) {
  EXPECT_EQ(program.run({"snapshot", "take", "shop", "--dry-run"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("Nothing was changed."));
  EXPECT_EQ(program.run({"snapshot", "delete", "x", "--dry-run"}), 0);
  EXPECT_THAT(program.out(), AllOf(HasSubstr("/vm/db.qcow2"), HasSubstr("the machine is missing")));
  EXPECT_THAT(session.calls, ElementsAre("plan_take_snapshot", "plan_delete_snapshot"));
}

TEST_F(SnapshotVerbs, ListIsOfOneCollectionOrOfAll) {
  EXPECT_EQ(program.run({"snapshot", "list", "shop"}), 0);
  EXPECT_EQ(session.asked_for, "shop");
  EXPECT_EQ(program.run({"snapshot", "list"}), 0);
  EXPECT_EQ(session.asked_for, "");
  EXPECT_THAT(program.out(), HasSubstr("before-upgrade  *    00000000  shop        standard  ready"));
}

TEST_F(SnapshotVerbs, ShowShowsFilesOnlyInFull) {
  EXPECT_EQ(program.run({"snapshot", "show", "x"}), 0);
  EXPECT_EQ(program.out().find("/vm/db.qcow2"), std::string::npos);
  EXPECT_EQ(program.run({"snapshot", "show", "x", "--verbose"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("/vm/db.qcow2"));
}

TEST_F(SnapshotVerbs, DeleteNamesWhatWasLeftBehind) {
  EXPECT_EQ(program.run({"snapshot", "delete", "x", "--forget-missing"}), 0);
  EXPECT_EQ(session.delete_request.snapshot, "x");
  EXPECT_EQ(session.delete_request.unmergeable, service::Unmergeable::kForgotten);
  EXPECT_THAT(program.out(), HasSubstr("left behind:\n  /vm/web.cohort-00000000.qcow2\n"));
}

TEST_F(SnapshotVerbs, DeleteHandsOnThatItOnlyForgets) {
  EXPECT_EQ(program.run({"snapshot", "delete", "x", "--forget-only"}), 0);
  EXPECT_TRUE(session.delete_request.forget_only);
  EXPECT_EQ(session.delete_request.unmergeable, service::Unmergeable::kRefused);
}

}  // namespace
}  // namespace cohort::cli
