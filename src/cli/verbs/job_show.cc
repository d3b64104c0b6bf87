#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class JobShow final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "show",
            .summary = "show a job",
            .description = "Shows the job: how far it is, or how it ended.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("JOB", job_, "Id, or its first characters (4 or more).");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto job, context.session().job(job_));
    return answer(Json{{"job", to_json(job)}}, report_job(job));
  }

 private:
  std::string job_;
};

}  // namespace

std::unique_ptr<Verb> make_job_show() { return std::make_unique<JobShow>(); }

}  // namespace cohort::cli
