#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class ReferenceConvert final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "convert",
            .summary = "make a reference point of a snapshot, which is none any more",
            .description =
                "What remains of the snapshot is the base of differences: it is not listed as a snapshot any more, and "
                "cannot be exported as one. It keeps its name and gets an id of its own; packages of the snapshot stay "
                "what they are. No machine is touched, and no data is moved. A snapshot that an incremental backup has "
                "kept for itself is refused.",
            .examples = {{"cohort reference convert monday",
                          "The snapshot \"monday\" has been exported, and becomes the "
                          "base of the next difference."}}};
  }

  void declare(Arguments& arguments) override { arguments.required("SNAPSHOT", snapshot_, "Name or id."); }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto converted, context.run_job([&](const client::JobWatch& watch) {
      return context.session().convert_snapshot(snapshot_, watch);
    }));
    return notice(Json{{"reference_point", reference_point_to_json(converted)}},
                  report_snapshot(converted, context.detail()));
  }

 private:
  std::string snapshot_;
};

}  // namespace

std::unique_ptr<Verb> make_reference_convert() { return std::make_unique<ReferenceConvert>(); }

}  // namespace cohort::cli
