#include <memory>

#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class VmList final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "list",
            .summary = "list the machines of the hypervisor",
            .description = "Lists all machines with their state, in a collection or not.",
            .examples = {}};
  }

  void declare(Arguments& /*arguments*/) override {}

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto machines, context.session().machines());
    return answer(Json{{"machines", list_to_json(machines)}}, report_machines(machines));
  }
};

}  // namespace

std::unique_ptr<Verb> make_vm_list() { return std::make_unique<VmList>(); }

}  // namespace cohort::cli
