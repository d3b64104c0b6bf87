#include "service/background_jobs.h"

#include <utility>

namespace cohort::service {
namespace {

Result<void> run_unless_stopped(const JobEngine::Body& body, JobContext& context) {
  COHORT_TRY(context.check_cancelled());
  return body(context);
}

}  // namespace

BackgroundJobs::BackgroundJobs(JobEngine& engine)
    : engine_(engine), worker_([this](const std::stop_token& stop) { work(stop); }) {}

BackgroundJobs::~BackgroundJobs() { stop(); }

Result<Job> BackgroundJobs::start(const JobOrder& order, JobEngine::Body body) {
  const std::scoped_lock lock(mutex_);
  if (is_stopped_) return fail(ErrorCode::kInvalidState, "No job is begun any more: the program ends.");
  COHORT_ASSIGN(Job job, engine_.queue(order));
  waiting_.push_back({job, std::move(body)});
  woken_.notify_one();
  return job;
}

void BackgroundJobs::stop() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopped_ = true;
  }
  worker_.request_stop();
  if (worker_.joinable()) worker_.join();
}

// The top of the thread. What waits when it is to stop is run all the same, and finds itself cancelled.
void BackgroundJobs::work(const std::stop_token& stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    woken_.wait(lock, stop, [&] { return !waiting_.empty(); });
    if (waiting_.empty()) return;
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    const auto unless_stopped = [&](JobContext& context) { return run_unless_stopped(next.body, context); };
    // How it ended is in its record, which is what everybody looks at.
    static_cast<void>(engine_.run_queued(std::move(next.job), {stop, {}}, unless_stopped));
  }
}

}  // namespace cohort::service
