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
            .summary = "list snapshots as the trees that they make",
            .description =
                "Lists the snapshots of one collection, or of all, each below the one that it was taken "
                "after. Where another was applied, the tree has branches, which are set in. The star is at "
                "the snapshot that the machines go on from. With --json they are in the order of their "
                "instants.",
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
