#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class ReferenceShow final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "show",
            .summary = "show a reference point and its machines",
            .description =
                "Shows the instant, the machines and their consistency. With --verbose also the identifiers of each "
                "disk, its frozen file and its overlay.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override { arguments.required("REFERENCE", reference_point_, "Name or id."); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto point, context.session().reference_point(reference_point_));
    return answer(Json{{"reference_point", reference_point_to_json(point)}}, report_snapshot(point, context.detail()));
  }

 private:
  std::string reference_point_;
};

}  // namespace

std::unique_ptr<Verb> make_reference_show() { return std::make_unique<ReferenceShow>(); }

}  // namespace cohort::cli
