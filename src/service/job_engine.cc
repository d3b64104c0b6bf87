#include "service/job_engine.h"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/kill_point.h"

namespace cohort::service {
namespace {

// How often progress is recorded and a cancel looked for.
constexpr Milliseconds kPulse{250};

// While it lives: records the job's progress, tells the watcher, and requests the stop when a cancel is found.
class Pulse {
 public:
  Pulse(Job job, const JobContext& context, StateStore& store, const JobWatch& watch, std::stop_source& cancel)
      : job_(std::move(job)),
        context_(context),
        store_(store),
        watch_(watch),
        cancel_(cancel),
        thread_([this](const std::stop_token& ended) { loop(ended); }) {}

 private:
  void loop(const std::stop_token& ended) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    while (!woken.wait_for(lock, ended, kPulse, [&] { return ended.stop_requested(); })) {
      beat();
    }
  }

  void beat() {
    const JobProgress now = context_.progress();
    const WorksOn what = context_.works_on();
    if (now.phase != job_.progress.phase || now.done_bytes != job_.progress.done_bytes ||
        now.total_bytes != job_.progress.total_bytes || what != job_.works_on) {
      job_.progress = now;
      job_.works_on = what;
      // Progress that cannot be recorded prevents nothing: the job's end can be, or fails on its own.
      [[maybe_unused]] const auto recorded = store_.update_job(job_);
    }
    if (const auto asked = store_.is_cancel_requested(job_.id); asked && *asked) cancel_.request_stop();
    if (watch_.on_update) watch_.on_update(job_);
  }

  Job job_;
  const JobContext& context_;
  StateStore& store_;
  const JobWatch& watch_;
  std::stop_source& cancel_;
  std::jthread thread_;
};

void describe_leftovers(Error& error, const UndoReport& undone) {
  for (const auto& failure : undone.failures) {
    error.message += fmt::format(" Not taken back: {}", failure);
  }
}

// A cancel is heard wherever the job is at that moment, which says little. A delete says itself what becomes of it.
void describe_cancel(Error& error, const Job& job, const JobContext& context, const UndoReport& undone) {
  if (error.code != ErrorCode::kCancelled || job.type == JobType::kDeleteSnapshot || context.stays()) return;
  error.cause = std::move(error.message);
  error.message = undone.failures.empty() ? "Cancelled; what had been begun was taken back." : "Cancelled.";
}

Job new_job(const JobOrder& order, WallTime now) {
  Job job;
  job.id = JobId::generate();
  job.type = order.type;
  job.subject = order.subject;
  job.owner = order.owner;
  job.works_on = order.works_on;
  job.pid = ::getpid();
  job.created = now;
  return job;
}

}  // namespace

JobEngine::JobEngine(StateStore& store, TakeBack take_back, const Clock& clock)
    : store_(store), take_back_(std::move(take_back)), clock_(clock) {}

Result<Job> JobEngine::begin(const JobOrder& order) {
  Job job = new_job(order, clock_.wall());
  job.state = JobState::kRunning;
  job.started = job.created;
  COHORT_TRY(store_.add_job(job));
  return job;
}

Result<Job> JobEngine::queue(const JobOrder& order) {
  Job job = new_job(order, clock_.wall());
  job.state = JobState::kQueued;
  COHORT_TRY(store_.add_job(job));
  return job;
}

Result<void> JobEngine::run_queued(Job job, const JobWatch& watch, const Body& body) {
  job.state = JobState::kRunning;
  job.started = clock_.wall();
  const auto recorded = store_.update_job(job);
  const auto unless_cancelled = [&](JobContext& context) -> Result<void> {
    // It ends as failed then: nobody shall wait for a job that never begins.
    COHORT_TRY(recorded);
    COHORT_ASSIGN(const bool is_cancelled, store_.is_cancel_requested(job.id));
    if (is_cancelled) return fail(ErrorCode::kCancelled, "Cancelled before it had begun.");
    return body(context);
  };
  return carry_out(job, watch, unless_cancelled);
}

Result<std::unique_lock<std::timed_mutex>> JobEngine::wait_for_turn(JobType type, JobContext& context) {
  if (type == JobType::kVerify || type == JobType::kTry) return std::unique_lock<std::timed_mutex>();
  std::unique_lock turn(turn_, std::try_to_lock);
  if (!turn.owns_lock()) context.set_phase("waiting for another job to end");
  while (!turn.owns_lock()) {
    COHORT_TRY(context.check_cancelled());
    static_cast<void>(turn.try_lock_for(kPulse));
  }
  return turn;
}

Result<void> JobEngine::carry_out(const Job& job, const JobWatch& watch, const Body& body) {
  std::stop_source cancel;
  const std::stop_callback forward(watch.stop, [&] { cancel.request_stop(); });
  JobContext context(job, store_, cancel.get_token());
  if (watch.on_update) watch.on_update(job);
  Result<void> outcome;
  UndoReport undone;
  {
    // Gone before the end is recorded: a late beat would let an ended job run again.
    const Pulse pulse(job, context, store_, watch, cancel);
    const auto turn = wait_for_turn(job.type, context);
    kill_point("job.begun");
    outcome = turn ? body(context) : Result<void>(Failure{turn.error()});
    kill_point("job.before_end");
    if (!outcome) {
      context.set_phase("taking back what was begun");
      undone = take_back_(job.id, context);
    }
  }
  auto ended = end(job, context, std::move(outcome), undone);
  if (watch.on_update) {
    if (const auto last = store_.job(job.id)) watch.on_update(*last);
  }
  return ended;
}

Result<void> JobEngine::end(Job job, const JobContext& context, Result<void> outcome, const UndoReport& undone) {
  job.result = context.result();
  job.works_on = context.works_on();
  if (!outcome) {
    describe_cancel(outcome.error(), job, context, undone);
    describe_leftovers(outcome.error(), undone);
    job.error = outcome.error();
  }
  job.state = outcome ? JobState::kCompleted
                      : (outcome.error().code == ErrorCode::kCancelled ? JobState::kCancelled : JobState::kFailed);
  job.progress = context.progress();
  job.ended = clock_.wall();
  const auto stored = undone.failures.empty() ? store_.finish_job(job) : store_.update_job(job);
  if (!stored && outcome) return Failure{Error(stored.error()).with_context("recording that the job has ended")};
  return outcome;
}

}  // namespace cohort::service
