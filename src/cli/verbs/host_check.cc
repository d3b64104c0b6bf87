#include <memory>

#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class HostCheck final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "check",
            .summary = "say what works on this host, and what does not",
            .description =
                "Looks at versions, tools, access to the hypervisor and free space, and says what to "
                "do where something is wrong. Changes nothing. The exit status is 7 if this host "
                "cannot be used.",
            .examples = {}};
  }

  void declare(Arguments& /*arguments*/) override {}

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    const auto report = context.session().check_host();
    Outcome outcome = answer(Json{{"host", to_json(report)}}, report_host(report));
    outcome.exit_code = report.is_usable() ? kExitDone : exit_code(ErrorCode::kUnsupported);
    return outcome;
  }
};

}  // namespace

std::unique_ptr<Verb> make_host_check() { return std::make_unique<HostCheck>(); }

}  // namespace cohort::cli
