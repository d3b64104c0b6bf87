#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/examples.h"
#include "cli/testing/program.h"

namespace cohort::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JobVerbs : public testing::Test {
 protected:
  Program program;
  SessionRecord& session = program.session;
};

TEST_F(JobVerbs, ListAndShowTellHowFarAJobIs) {
  EXPECT_EQ(program.run({"job", "list"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("The folder /backup is full."));
  EXPECT_EQ(program.run({"job", "show", "9"}), 0);
  EXPECT_EQ(session.asked_for, "9");
  EXPECT_THAT(program.out(), HasSubstr("copying disks, 143.1 MiB of 286.1 MiB"));
}

TEST_F(JobVerbs, WaitPollsUntilTheJobHasEnded) {
  session.job_answers = {example_job(), example_job(), example_completed_job()};
  EXPECT_EQ(program.run({"job", "wait", "9"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("job", "job", "job"));
  EXPECT_THAT(program.out(), HasSubstr("completed"));
}

TEST_F(JobVerbs, WaitExitsAsTheJobDid) {
  session.job_answers = {example_failed_job()};
  EXPECT_EQ(program.run({"job", "wait", "9"}), 10);
  session.job_answers.front().state = JobState::kCancelled;
  session.job_answers.front().error.reset();
  EXPECT_EQ(program.run({"job", "wait", "9"}), 130);
}

TEST_F(JobVerbs, WaitEndsWithItsPatience) {
  EXPECT_EQ(program.run({"job", "wait", "9", "--timeout", "1.5"}), 8);
  EXPECT_THAT(session.calls, testing::SizeIs(7));  // every 250 ms, and at the begin
  EXPECT_THAT(program.err(), HasSubstr("still runs (copying disks)"));
  EXPECT_EQ(program.run({"job", "wait", "9", "--timeout", "-1"}), 2);
}

TEST_F(JobVerbs, AJobWhoseProcessHasEndedIsInterruptedAndNotWaitedFor) {
  session.job_answers = {example_job()};
  session.job_answers.front().pid = 0x3fffffff;  // more than there can be
  EXPECT_EQ(program.run({"job", "wait", "9"}), 5);
  EXPECT_THAT(program.err(), HasSubstr("has ended before its job"));
  EXPECT_EQ(program.run({"job", "show", "9"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("interrupted"));
}

TEST_F(JobVerbs, CancelAsksTheJobToStop) {
  EXPECT_EQ(program.run({"job", "cancel", "9"}), 0);
  EXPECT_THAT(session.calls, ElementsAre("cancel_job", "job"));
  EXPECT_THAT(program.out(), HasSubstr("has been asked to stop"));
}

TEST_F(JobVerbs, CancelOfAnEndedJobSaysHowItEnded) {
  session.job_answers = {example_completed_job()};
  EXPECT_EQ(program.run({"job", "cancel", "9"}), 0);
  EXPECT_THAT(program.out(), HasSubstr("has ended: completed"));
}

}  // namespace
}  // namespace cohort::cli
