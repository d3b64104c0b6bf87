#include <memory>

#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class JobList final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "list",
            .summary = "list jobs, newest first",
            .description = "Lists all jobs: those that run, and those that have ended, with their outcome.",
            .examples = {}};
  }

  void declare(Arguments& /*arguments*/) override {}

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto jobs, context.session().jobs());
    return answer(Json{{"jobs", list_to_json(jobs)}}, report_jobs(jobs, context.detail()));
  }
};

}  // namespace

std::unique_ptr<Verb> make_job_list() { return std::make_unique<JobList>(); }

}  // namespace cohort::cli
