#include "domain/job.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "domain/undo_step.h"

namespace cohort {
namespace {

TEST(Job, AnEndedJobGoesNowhere) {
  for (const JobState from : {JobState::kCompleted, JobState::kFailed, JobState::kCancelled}) {
    for (const JobState to : {JobState::kQueued, JobState::kRunning, JobState::kCompleted, JobState::kFailed}) {
      EXPECT_FALSE(is_allowed(from, to)) << to_string(from) << " to " << to_string(to);
    }
  }
}

TEST(Job, ARunningJobEndsInOneOfThreeWays) {
  EXPECT_TRUE(is_allowed(JobState::kRunning, JobState::kCompleted));
  EXPECT_TRUE(is_allowed(JobState::kRunning, JobState::kFailed));
  EXPECT_TRUE(is_allowed(JobState::kRunning, JobState::kCancelled));
  EXPECT_FALSE(is_allowed(JobState::kRunning, JobState::kQueued));
}

TEST(Job, AQueuedJobDoesNotCompleteWithoutRunning) {
  EXPECT_FALSE(is_allowed(JobState::kQueued, JobState::kCompleted));
}

TEST(Job, IsInterruptedWhenItsProcessHasEndedBeforeIt) {
  Job job;
  job.state = JobState::kRunning;
  job.pid = ::getpid();
  EXPECT_FALSE(job.is_interrupted());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  job.pid = child;
  EXPECT_TRUE(job.is_interrupted());
  job.state = JobState::kFailed;
  EXPECT_FALSE(job.is_interrupted());
}

TEST(Job, NamesAreReadBack) {
  for (int i = 0; i <= static_cast<int>(JobType::kApplySnapshot); ++i) {
    EXPECT_EQ(job_type_from(to_string(static_cast<JobType>(i))), static_cast<JobType>(i));
  }
  for (int i = 0; i <= static_cast<int>(JobState::kCancelled); ++i) {
    EXPECT_EQ(job_state_from(to_string(static_cast<JobState>(i))), static_cast<JobState>(i));
  }
  for (int i = 0; i <= static_cast<int>(UndoKind::kDeleteSnapshot); ++i) {
    EXPECT_EQ(undo_kind_from(to_string(static_cast<UndoKind>(i))), static_cast<UndoKind>(i));
  }
  EXPECT_EQ(job_type_from("sleep").error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cohort
