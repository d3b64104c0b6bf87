#include <chrono>
#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

constexpr Milliseconds kBetweenLooks{250};

int exit_code_of(const Job& job) {
  if (job.state == JobState::kCompleted) {
    return kExitDone;
  }
  const auto otherwise = job.state == JobState::kCancelled ? ErrorCode::kCancelled : ErrorCode::kInternal;
  return exit_code(job.error ? job.error->code : otherwise);
}

class JobWait final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "wait",
            .summary = "wait until a job has ended",
            .description =
                "Follows a job of another process until it has ended, and exits with its exit status. "
                "With --timeout the waiting ends with status 8 if the job takes longer; the job goes "
                "on. Interrupting the waiting does not touch the job.",
            .examples = {{"cohort job wait 3f2a --timeout 600", "Waits for ten minutes at most."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("JOB", job_, "Id, or its first characters (4 or more).");
    arguments.option("--timeout", timeout_s_, "S", "Wait for so many seconds at most; default: as long as it takes.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto job, follow(context));
    if (job.is_interrupted()) {
      return fail(ErrorCode::kInvalidState,
                  "The process {} has ended before its job {} did. The next command that changes something takes back "
                  "what the job had begun.",
                  job.pid, job.id.short_str());
    }
    if (!is_ended(job.state)) {
      return fail(ErrorCode::kTimeout, "The job {} still runs ({}); wait again, or look with: cohort job show {}",
                  job.id.str(), job.progress.phase, job.id.short_str());
    }
    Outcome outcome = answer(Json{{"job", to_json(job)}}, report_job(job));
    outcome.exit_code = exit_code_of(job);
    return outcome;
  }

 private:
  // The job when it has ended, or when the patience is over.
  [[nodiscard]] Result<Job> follow(Context& context) const {
    Progress progress = context.make_progress();
    const auto begin = context.clock().steady();
    while (true) {
      COHORT_ASSIGN(const auto job, context.session().job(job_));
      const std::chrono::duration<double> waited = context.clock().steady() - begin;
      if (is_ended(job.state) || job.is_interrupted() || (timeout_s_ >= 0 && waited.count() >= timeout_s_)) {
        return job;
      }
      progress.update(job);
      context.sleep(kBetweenLooks);
    }
  }

  std::string job_;
  double timeout_s_ = -1;
};

}  // namespace

std::unique_ptr<Verb> make_job_wait() { return std::make_unique<JobWait>(); }

}  // namespace cohort::cli
