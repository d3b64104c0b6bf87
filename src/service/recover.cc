#include "service/recover.h"

namespace cohort::service {
namespace {

Error interruption_of(const Job& job, const UndoReport& undone) {
  Error error = make_error(ErrorCode::kInternal, "Process {} ended before the job did.", job.pid);
  for (const auto& action : undone.actions) error.message += " " + action;
  for (const auto& failure : undone.failures) error.message += " Not taken back: " + failure;
  return error;
}

Result<void> close(Job job, const UndoReport& undone, StateStore& store, const Clock& clock) {
  if (!is_ended(job.state)) {
    job.state = JobState::kFailed;
    job.ended = clock.wall();
    job.error = interruption_of(job, undone);
  }
  return undone.failures.empty() ? store.finish_job(job) : store.update_job(job);
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

Result<UndoReport> take_back(const std::vector<Job>& open, StateStore& store, Undo& undo, const Clock& clock,
                             JobContext& context) {
  UndoReport report;
  for (const auto& job : open) {
    context.set_phase(fmt::format("taking back {} {}", to_string(job.type), job.id.short_str()));
    const UndoReport undone = undo.run(job.id, context);
    COHORT_TRY(close(job, undone, store, clock));
    append(report.actions, undone.actions);
    append(report.failures, undone.failures);
  }
  return report;
}

}  // namespace

Result<std::vector<Job>> open_jobs(StateStore& store) {
  COHORT_ASSIGN(const auto all, store.jobs());
  std::vector<Job> open;
  for (const auto& job : all) {
    COHORT_ASSIGN(const auto steps, store.undo_steps(job.id));
    if (!is_ended(job.state) || !steps.empty()) open.push_back(job);
  }
  return open;
}

Result<UndoReport> recover(StateStore& store, Undo& undo, JobEngine& engine, const Clock& clock) {
  COHORT_ASSIGN(const auto open, open_jobs(store));
  if (open.empty()) return UndoReport{};
  return engine.run<UndoReport>(JobType::kRecover, "jobs left open", {},
                                [&](JobContext& context) { return take_back(open, store, undo, clock, context); });
}

}  // namespace cohort::service
