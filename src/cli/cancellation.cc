#include "cli/cancellation.h"

#include <fmt/format.h>

namespace cohort::cli {

Cancellation::RunningJob::RunningJob(Cancellation& cancellation, Progress& progress, std::string_view answer)
    : cancellation_(cancellation), progress_(progress), answer_(answer) {
  const std::lock_guard lock(cancellation_.mutex_);
  cancellation_.job_ = this;
}

Cancellation::RunningJob::~RunningJob() {
  const std::lock_guard lock(cancellation_.mutex_);
  cancellation_.job_ = nullptr;
}

bool Cancellation::interrupt() {
  const std::lock_guard lock(mutex_);
  if (job_ == nullptr) {
    return false;
  }
  if (job_->interrupts_++ == 0) {
    job_->progress_.say(job_->answer_);
    job_->source_.request_stop();
    return true;
  }
  const auto phase = job_->progress_.phase();
  job_->progress_.say(phase.empty() ? "Still cancelling: waiting for the current step to end."
                                    : fmt::format("Still cancelling: the job is at \"{}\".", phase));
  return true;
}

}  // namespace cohort::cli
