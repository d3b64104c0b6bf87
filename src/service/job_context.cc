#include "service/job_context.h"

namespace cohort::service {

JobContext::JobContext(const Job& job, StateStore& store, std::stop_token stop)
    : id_(job.id), store_(store), stop_(std::move(stop)), works_on_(job.works_on) {}

Result<void> JobContext::check_cancelled() const {
  if (stop_.stop_requested()) return fail(ErrorCode::kCancelled, "The job was cancelled.");
  return {};
}

void JobContext::set_phase(std::string phase) {
  const std::lock_guard lock(mutex_);
  progress_.phase = std::move(phase);
}

void JobContext::set_total(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  progress_.total_bytes = bytes;
}

void JobContext::set_done(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  progress_.done_bytes = bytes;
}

void JobContext::add_done(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  progress_.done_bytes += bytes;
}

void JobContext::works_on(const WorksOn& what) {
  const std::lock_guard lock(mutex_);
  if (!works_on_.collection) works_on_ = what;
}

void JobContext::set_result(std::string result) {
  const std::lock_guard lock(mutex_);
  result_ = std::move(result);
}

void JobContext::will_stay() {
  const std::lock_guard lock(mutex_);
  stays_ = true;
}

bool JobContext::stays() const {
  const std::lock_guard lock(mutex_);
  return stays_;
}

JobProgress JobContext::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::string JobContext::result() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

WorksOn JobContext::works_on() const {
  const std::lock_guard lock(mutex_);
  return works_on_;
}

Result<UndoStep> JobContext::will_undo(UndoKind kind, const std::string& subject) {
  return store_.add_undo_step(id_, kind, subject);
}

Result<void> JobContext::will_keep(const UndoStep& step) { return store_.remove_undo_step(step); }

}  // namespace cohort::service
