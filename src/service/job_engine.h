// Runs operations as jobs: recorded, followed, cancelled, and undone when they do not end well.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "service/job_context.h"
#include "service/job_watch.h"
#include "service/undo.h"

namespace cohort::service {

// What is recorded of a job when it is asked for.
struct JobOrder {
  JobType type = JobType::kRecover;
  std::string subject;
  std::string owner = {};
  WorksOn works_on = {};
};

// Threads: run() may be called from several at once, and blocks its caller; a second thread of its own records progress
// and hears cancels (four times a second). Crash:   the job stays "running" in the store with its undo steps; recover()
// finishes it.
class JobEngine {
 public:
  // Takes back what the job's undo steps say: Undo::run.
  using TakeBack = std::function<UndoReport(const JobId& job, JobContext& running)>;

  JobEngine(StateStore& store, TakeBack take_back, const Clock& clock);

  // Records the job, calls `body`, and on failure takes back what its undo steps say, last first. If that fails too,
  // the steps stay for recover() and the error says what is left.
  template <typename T>
  [[nodiscard]] Result<T> run(JobType type, const std::string& subject, const JobWatch& watch,
                              const std::function<Result<T>(JobContext&)>& body) {
    std::optional<T> made;
    COHORT_ASSIGN(const Job job, begin({type, subject, watch.owner}));
    COHORT_TRY(carry_out(job, watch, [&](JobContext& context) -> Result<void> {
      auto outcome = body(context);
      if (!outcome) return Failure{std::move(outcome).error()};
      made = *std::move(outcome);
      return {};
    }));
    return *std::move(made);
  }

  using Body = std::function<Result<void>(JobContext&)>;

  // Records a job that waits for run_queued().
  [[nodiscard]] Result<Job> queue(const JobOrder& order);
  // The same as run() for a job that was queued; `body` is not called if it was cancelled while it waited.
  Result<void> run_queued(Job job, const JobWatch& watch, const Body& body);

 private:
  [[nodiscard]] Result<Job> begin(const JobOrder& order);
  Result<void> carry_out(const Job& job, const JobWatch& watch, const Body& body);
  [[nodiscard]] Result<void> end(Job job, const JobContext& context, Result<void> outcome, const UndoReport& undone);

  // One job at a time, since operations on machines, and on the files that their disks share, must not get in each
  // other's way. Waits until it is this job's turn; kCancelled if that was asked for meanwhile. Verifying and trying a
  // package change nothing of others, and do not wait.
  [[nodiscard]] Result<std::unique_lock<std::timed_mutex>> wait_for_turn(JobType type, JobContext& context);

  std::timed_mutex turn_;
  StateStore& store_;
  TakeBack take_back_;
  const Clock& clock_;
};

}  // namespace cohort::service
