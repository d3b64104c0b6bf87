#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class SnapshotShow final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "show",
            .summary = "show a snapshot, its machines and its fence",
            .description =
                "Shows the instant, the measured pause of every machine, and whether it is proven "
                "that all stood still together. With --verbose also the frozen files and the "
                "overlays.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override { arguments.required("SNAPSHOT", snapshot_, "Name or id."); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto snapshot, context.session().snapshot(snapshot_));
    return answer(Json{{"snapshot", to_json(snapshot)}}, report_snapshot(snapshot, context.detail()));
  }

 private:
  std::string snapshot_;
};

}  // namespace

std::unique_ptr<Verb> make_snapshot_show() { return std::make_unique<SnapshotShow>(); }

}  // namespace cohort::cli
