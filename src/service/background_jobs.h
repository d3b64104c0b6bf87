// Runs jobs on a thread of its own: who asks for one is told its id at once.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "service/job_engine.h"

namespace cohort::service {

// One job after the other, in the order in which they were asked for.
// Threads: safe to call from several at once. Job bodies run on the thread of this object.
// Crash:   as JobEngine; jobs that waited are ended by recover().
class BackgroundJobs {
 public:
  // The engine outlives this object.
  explicit BackgroundJobs(JobEngine& engine);
  BackgroundJobs(const BackgroundJobs&) = delete;
  BackgroundJobs& operator=(const BackgroundJobs&) = delete;
  ~BackgroundJobs();  // stops

  // Records the job, which is run when those before it have ended. kInvalidState when this has been stopped.
  [[nodiscard]] Result<Job> start(const JobOrder& order, JobEngine::Body body);

  // Cancels the job that runs and those that wait, and returns when all of them have ended.
  void stop();

 private:
  struct Waiting {
    Job job;
    JobEngine::Body body;
  };

  void work(const std::stop_token& stop);

  JobEngine& engine_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::deque<Waiting> waiting_;
  bool is_stopped_ = false;
  std::jthread worker_;
};

}  // namespace cohort::service
