#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/job_metrics.h"
#include "daemon/status_handler.h"
#include "service/testing/fake_state_store.h"

namespace cohort::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;

class JobMetricsTest : public testing::Test {
 protected:
  void add_job(JobState state, std::uint64_t bytes) {
    Job job;
    job.id = JobId::generate();
    job.type = JobType::kExport;
    job.state = JobState::kRunning;
    ASSERT_TRUE(store.add_job(job));
    last = job;
    if (is_ended(state)) end_job(state, bytes);
  }
  void end_job(JobState state, std::uint64_t bytes) {
    last.state = state;
    last.progress.done_bytes = bytes;
    ASSERT_TRUE(store.finish_job(last));
  }
  void add_snapshot(std::chrono::milliseconds fence, SnapshotState state = SnapshotState::kReady) {
    Snapshot snapshot;
    snapshot.id = SnapshotId::generate();
    snapshot.name = snapshot.id.str();
    snapshot.state = state;
    snapshot.fence.raised = fence;
    ASSERT_TRUE(store.add_snapshot(snapshot));
  }

  service::FakeStateStore store;
  Metrics metrics;
  Job last;
};

TEST_F(JobMetricsTest, CountWhatEndsFromTheStartOn) {
  add_job(JobState::kCompleted, 1000);
  add_snapshot(std::chrono::milliseconds(100));
  JobMetrics jobs(store, metrics);
  add_job(JobState::kCompleted, 5);
  add_job(JobState::kFailed, 7);
  add_job(JobState::kRunning, 0);
  add_snapshot(std::chrono::milliseconds(60));
  add_snapshot(std::chrono::milliseconds(0), SnapshotState::kCreating);
  jobs.look();
  jobs.look();
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr(R"(cohort_jobs_total{state="completed",type="export"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(cohort_jobs_total{state="failed",type="export"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(cohort_job_bytes_total{type="export"} 12)"));
  EXPECT_THAT(text, HasSubstr(R"(cohort_jobs_running{type="export"} 1)"));
  EXPECT_THAT(text, HasSubstr("cohort_fence_seconds_count 1"));
  EXPECT_THAT(text, HasSubstr("cohort_fence_seconds_sum 0.06"));
  end_job(JobState::kCancelled, 1);
  jobs.look();
  EXPECT_THAT(metrics.text(), HasSubstr(R"(cohort_jobs_running{type="export"} 0)"));
}

TEST_F(JobMetricsTest, AStoreThatCannotBeReadIsLookedAtNextTime) {
  JobMetrics jobs(store, metrics);
  add_job(JobState::kCompleted, 5);
  store.fail_next("jobs", make_error(ErrorCode::kIo, "no"));
  jobs.look();
  EXPECT_THAT(metrics.text(), Not(HasSubstr("cohort_jobs_total{")));
  jobs.look();
  EXPECT_THAT(metrics.text(), HasSubstr("cohort_jobs_total{"));
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
