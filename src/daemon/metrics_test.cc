#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/counting_store.h"
#include "daemon/status_handler.h"
#include "service/testing/fake_state_store.h"

namespace cohort::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

class CountingStoreTest : public testing::Test {
 protected:
  CountingStoreTest() {
    auto made = std::make_unique<service::FakeStateStore>();
    fake = made.get();
    below = std::move(made);
  }

  static Job job(JobState state = JobState::kRunning, std::uint64_t bytes = 0) {
    Job one;
    one.id = JobId::generate();
    one.type = JobType::kExport;
    one.state = state;
    one.progress.done_bytes = bytes;
    return one;
  }
  static void run(service::StateStore& store, JobState end, std::uint64_t bytes) {
    Job one = job();
    ASSERT_TRUE(store.add_job(one));
    one.state = end;
    one.progress.done_bytes = bytes;
    ASSERT_TRUE(store.finish_job(one));
  }
  static Snapshot snapshot() {
    Snapshot one;
    one.id = SnapshotId::generate();
    one.name = one.id.str();
    one.state = SnapshotState::kCreating;
    one.fence.raised = std::chrono::milliseconds(60);
    return one;
  }

  service::FakeStateStore* fake = nullptr;
  std::unique_ptr<service::StateStore> below;
  Metrics metrics;
};

TEST_F(CountingStoreTest, CountsJobsFromItsStartOn) {
  run(*below, JobState::kCompleted, 1000);
  const Job left = job();
  ASSERT_TRUE(below->add_job(left));
  CountingStore store(std::move(below), metrics);
  run(store, JobState::kCompleted, 5);
  run(store, JobState::kFailed, 7);
  EXPECT_THAT(metrics.text(), HasSubstr(R"(cohort_jobs_total{state="completed",type="export"} 1)"));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(cohort_jobs_total{state="failed",type="export"} 1)"));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(cohort_job_bytes_total{type="export"} 12)"));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(cohort_jobs_running{type="export"} 1)"));
  Job ended = left;
  ended.state = JobState::kCancelled;
  ASSERT_TRUE(store.finish_job(ended));
  EXPECT_THAT(metrics.text(), HasSubstr(R"(cohort_jobs_running{type="export"} 0)"));
}

TEST_F(CountingStoreTest, WhatIsNotStoredIsNotCounted) {
  CountingStore store(std::move(below), metrics);
  fake->fail_next("add_job", make_error(ErrorCode::kIo, "no"));
  EXPECT_FALSE(store.add_job(job()));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("cohort_jobs_running{")));
}

TEST_F(CountingStoreTest, ObservesAFenceOnceWhenTheSnapshotIsTaken) {
  CountingStore store(std::move(below), metrics);
  Snapshot taken = snapshot();
  ASSERT_TRUE(store.add_snapshot(taken));
  ASSERT_TRUE(store.update_snapshot(taken));
  EXPECT_THAT(metrics.text(), HasSubstr("cohort_fence_seconds_count 0"));
  taken.state = SnapshotState::kReady;
  ASSERT_TRUE(store.update_snapshot(taken));
  ASSERT_TRUE(store.update_snapshot(taken));
  const Snapshot failed = snapshot();
  ASSERT_TRUE(store.add_snapshot(failed));
  ASSERT_TRUE(store.remove_snapshot(failed.id));
  EXPECT_THAT(metrics.text(), HasSubstr("cohort_fence_seconds_count 1"));
  EXPECT_THAT(metrics.text(), HasSubstr("cohort_fence_seconds_sum 0.06"));
}

class StatusTest : public testing::Test {
 protected:
  http::Response get(const std::string& target, const std::string& method = "GET") {
    OpenDoor door;
    return handler.handle({method, target, {}, {}, {}}, std::get<http::Identity>(door.authenticate({}, {})));
  }
  static std::string text_of(const http::Response& response) { return std::get<std::string>(response.body); }

  Metrics metrics;
  int looks = 0;
  std::optional<std::string> trouble;
  StatusHandler handler{metrics, [this] { ++looks; }, [this] { return trouble; }};
};

TEST_F(StatusTest, TellsHealthAndFigures) {
  EXPECT_EQ(get("/health").status, 200);
  EXPECT_EQ(text_of(get("/health")), "ok\n");
  EXPECT_EQ(looks, 0);
  EXPECT_THAT(text_of(get("/metrics")), HasSubstr("# TYPE cohort_fence_seconds histogram"));
  EXPECT_EQ(looks, 1);
  trouble = "The state cannot be read.";
  EXPECT_EQ(get("/health").status, 503);
  EXPECT_EQ(text_of(get("/health")), "The state cannot be read.\n");
}

TEST_F(StatusTest, KnowsNothingElse) {
  EXPECT_EQ(get("/wsman").status, 404);
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(get("/health", "POST").status, 405);
}

}  // namespace
}  // namespace cohort::daemon
