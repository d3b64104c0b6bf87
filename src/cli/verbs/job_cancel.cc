#include <fmt/format.h>

#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class JobCancel final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "cancel",
            .summary = "ask a job to stop",
            .description =
                "Asks the process that runs the job to stop it and to undo what was begun. That takes "
                "a little while: cohort job wait tells when it is done. A job that has ended stays as "
                "it is.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("JOB", job_, "Id, or its first characters (4 or more).");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_TRY(context.session().cancel_job(job_));
    COHORT_ASSIGN(const auto job, context.session().job(job_));
    return notice(Json{{"job", to_json(job)}, {"cancel_requested", true}},
                  is_ended(job.state)
                      ? fmt::format("The job {} has ended: {}.\n", job.id.str(), to_string(job.state))
                      : fmt::format("The job {} has been asked to stop. To wait for its end: cohort job wait {}\n",
                                    job.id.str(), job.id.short_str()));
  }

 private:
  std::string job_;
};

}  // namespace

std::unique_ptr<Verb> make_job_cancel() { return std::make_unique<JobCancel>(); }

}  // namespace cohort::cli
