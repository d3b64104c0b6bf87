#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class SnapshotList final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "list",
            .summary = "list snapshots, oldest first",
            .description = "Lists the snapshots of one collection, or of all.",
            .examples = {}};
  }

  void declare(Arguments& arguments) override {
    arguments.optional("COLLECTION", collection_, "Only those of this collection, by name or id.");
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto snapshots, context.session().snapshots(collection_));
    return answer(Json{{"snapshots", list_to_json(snapshots)}}, report_snapshots(snapshots, context.detail()));
  }

 private:
  std::string collection_;
};

}  // namespace

std::unique_ptr<Verb> make_snapshot_list() { return std::make_unique<SnapshotList>(); }

}  // namespace cohort::cli
