// One process works, others look on and cancel.
#include <gtest/gtest.h>

#include "base/temporary_folder.h"
#include "store/testing.h"

namespace cohort::store {
namespace {

// A job that reports its progress until it is cancelled. Exit status 0 if all of it went well.
int work_until_cancelled(const Path& state, Job job, const SharedNumber& steps) {
  const auto store = open_or_exit(state, Access::kWrite);
  if (!store->add_job(job)) {
    return 1;
  }
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    job.progress.done_bytes = static_cast<std::uint64_t>(++*steps);
    if (!store->update_job(job)) {
      return 2;
    }
    const auto cancelled = store->is_cancel_requested(job.id);
    if (!cancelled) {
      return 3;
    }
    if (*cancelled) {
      job.state = JobState::kCancelled;
      return store->finish_job(job) ? 0 : 4;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // fifty times as often as a job does
  }
  return 5;
}

TEST(TwoProcesses, FollowAJobAndCancelItWhileItRuns) {
  const TemporaryFolder folder;
  const Job job = running_job();
  const SharedNumber steps;
  Child child([&] { return work_until_cancelled(folder.path(), job, steps); });
  ASSERT_TRUE(steps.reaches(1));
  std::uint64_t last = 0;
  for (int look = 0; look < 100; ++look) {
    // As `job show` does: open, read, close.
    const auto reader = open_or_fail(folder.path(), Access::kRead);
    ASSERT_NE(reader, nullptr) << look;
    const auto seen = reader->jobs();
    ASSERT_TRUE(seen) << seen.error().describe();
    if (!seen->empty()) {
      EXPECT_GE(seen->front().progress.done_bytes, last);
      last = seen->front().progress.done_bytes;
    }
  }
  ASSERT_TRUE(steps.reaches(10));
  const auto reader = open_or_fail(folder.path(), Access::kRead);
  ASSERT_NE(reader, nullptr);
  const auto cancelled = reader->request_cancel(job.id);
  ASSERT_TRUE(cancelled) << cancelled.error().describe();
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(reader->job(job.id)->state, JobState::kCancelled);
}

// Opens, looks and closes until told to end; counts in `opened`.
int look_on(const Path& state, const SharedNumber& opened, const SharedNumber& end) {
  while (*end == 0) {
    const auto reader = open_or_exit(state, Access::kRead);
    if (const auto jobs = reader->jobs(); !jobs) {
      ::fprintf(stderr, "child: %s\n", jobs.error().describe().c_str());
      return 1;
    }
    ++*opened;
  }
  return 0;
}

// Closing the last connection removes the log: whoever opens at that moment must not see a failure.
TEST(TwoProcesses, OpenAndCloseAtTheSameTimeWithoutAFailure) {
  const TemporaryFolder folder;
  ASSERT_TRUE(open_or_fail(folder.path())->add_job(running_job()));
  const SharedNumber opened;
  const SharedNumber end;
  Child first([&] { return look_on(folder.path(), opened, end); });
  Child second([&] { return look_on(folder.path(), opened, end); });
  ASSERT_TRUE(opened.reaches(2));
  for (int i = 0; i < 50; ++i) {
    const auto writer = open_or_fail(folder.path());
    ASSERT_NE(writer, nullptr) << i;
    const auto added = writer->add_job(running_job());
    ASSERT_TRUE(added) << added.error().describe();
  }
  EXPECT_TRUE(opened.reaches(100));
  *end = 1;
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(open_or_fail(folder.path(), Access::kRead)->jobs()->size(), 51U);
}

}  // namespace
}  // namespace cohort::store
