#include "service/background_jobs.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

constexpr Milliseconds kPatience{10'000};

class BackgroundJobsTest : public ::testing::Test {
 protected:
  JobState state_of(const Job& job) { return lab.store.job(job.id)->state; }
  void wait_for_end(const Job& job) {
    const auto late = std::chrono::steady_clock::now() + kPatience;
    while (!is_ended(state_of(job)) && std::chrono::steady_clock::now() < late) {
      std::this_thread::sleep_for(Milliseconds(2));
    }
  }
  Job start(JobEngine::Body body) { return *jobs.start({JobType::kExport, "something", "ann"}, std::move(body)); }

  Lab lab;
  BackgroundJobs jobs{lab.engine};
};

TEST_F(BackgroundJobsTest, RunsJobsInTheirOrderOneAtATime) {
  std::latch may_end(1);
  std::atomic<int> running = 0;
  std::string order;
  const auto body = [&](char name) {
    return [&, name](JobContext& job) -> Result<void> {
      EXPECT_EQ(++running, 1);
      may_end.wait();
      order += name;
      job.set_result("made");
      --running;
      return {};
    };
  };
  const Job first = start(body('a'));
  const Job second = start(body('b'));
  EXPECT_EQ(state_of(second), JobState::kQueued);
  may_end.count_down();
  wait_for_end(first);
  wait_for_end(second);
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(state_of(first), JobState::kCompleted);
  EXPECT_EQ(lab.store.job(second.id)->result, "made");
  EXPECT_TRUE(lab.store.job(second.id)->started.has_value());
}

TEST_F(BackgroundJobsTest, RecordsWhyAJobFailed) {
  const Job job = start([](JobContext&) -> Result<void> { return fail(ErrorCode::kNoSpace, "It is full."); });
  wait_for_end(job);
  const auto ended = lab.store.job(job.id);
  EXPECT_EQ(ended->state, JobState::kFailed);
  EXPECT_EQ(ended->error->code, ErrorCode::kNoSpace);
}

TEST_F(BackgroundJobsTest, TellsWhoseAJobIsBeforeItHasBegun) {
  std::latch may_end(1);
  const Job first = start([&](JobContext&) -> Result<void> { return may_end.wait(), Result<void>(); });
  const WorksOn what{CollectionId::generate(), {}};
  const auto second = jobs.start({JobType::kExport, "x", "eve", what}, [](JobContext&) -> Result<void> { return {}; });
  ASSERT_TRUE(second);
  EXPECT_EQ(lab.store.job(second->id)->owner, "eve");
  EXPECT_EQ(lab.store.job(second->id)->works_on, what);
  may_end.count_down();
  wait_for_end(*second);
  EXPECT_EQ(lab.store.job(second->id)->works_on, what);
}

TEST_F(BackgroundJobsTest, DoesNotBeginWhatWasCancelledWhileItWaited) {
  std::latch may_end(1);
  const Job first = start([&](JobContext&) -> Result<void> { return may_end.wait(), Result<void>(); });
  bool has_run = false;
  const Job second = start([&](JobContext&) -> Result<void> { return has_run = true, Result<void>(); });
  EXPECT_TRUE(lab.store.request_cancel(second.id));
  may_end.count_down();
  wait_for_end(second);
  EXPECT_EQ(state_of(first), JobState::kCompleted);
  EXPECT_EQ(state_of(second), JobState::kCancelled);
  EXPECT_FALSE(has_run);
}

TEST_F(BackgroundJobsTest, CancelsAllWhenItStops) {
  std::latch has_begun(1);
  const Job first = start([&](JobContext& job) -> Result<void> {
    has_begun.count_down();
    while (job.check_cancelled()) std::this_thread::sleep_for(Milliseconds(1));
    return job.check_cancelled();
  });
  const Job second = start([](JobContext&) -> Result<void> { return {}; });
  has_begun.wait();
  jobs.stop();
  EXPECT_EQ(state_of(first), JobState::kCancelled);
  EXPECT_EQ(state_of(second), JobState::kCancelled);
  EXPECT_FALSE(jobs.start({JobType::kExport, "late"}, [](JobContext&) -> Result<void> { return {}; }));
}

TEST_F(BackgroundJobsTest, StartsNothingThatItCannotRecord) {
  lab.control.fail_next("add_job", ErrorCode::kNoSpace);
  const auto started =
      jobs.start({JobType::kExport, "something", "ann"}, [](JobContext&) -> Result<void> { return {}; });
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kNoSpace);
}

TEST_F(BackgroundJobsTest, EndsAJobWhoseBeginCannotBeRecorded) {
  lab.control.fail_next("update_job", ErrorCode::kNoSpace);
  bool has_run = false;
  const Job job = start([&](JobContext&) -> Result<void> { return has_run = true, Result<void>(); });
  wait_for_end(job);
  EXPECT_EQ(state_of(job), JobState::kFailed);
  EXPECT_FALSE(has_run);
}

}  // namespace
}  // namespace cohort::service
