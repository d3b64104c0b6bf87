#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/shared_options.h"
#include "cli/output/report.h"
#include "cli/plan_or_carry_out.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class SnapshotDelete final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "delete",
            .summary = "merge a snapshot back into the disks and forget it",
            .description =
                "Merges what the machines have written since the instant into the frozen files, "
                "machines running or not, and removes the overlays. The guests do not notice. "
                "A snapshot from which the machines do not go on any more, since another one was applied, is "
                "removed with what only it holds. Snapshots can be deleted in any order, and the data of others "
                "never changes; with --subtree all that stand on one go with it. Where several branches stand "
                "on the same files, the snapshot goes, with its memory, and these files stay; the report says "
                "how much room they take. The deletion that leaves one branch merges them. If a machine or one of its "
                "disks is not as the "
                "snapshot left it, nothing is changed, and the snapshot can still be exported. If it is "
                "cancelled or fails half way, the snapshot stays as \"deleting\", and the same command goes "
                "on with the rest.\n\n"
                "With --forget-only nothing is merged and no machine is touched: only this record of the "
                "snapshot goes. The overlay files stay, and are named; a machine that stands on one goes "
                "on to write to it.",
            .examples = {{"cohort snapshot delete before-upgrade", "Deletes this snapshot."},
                         {"cohort snapshot delete before-upgrade --forget-only",
                          "Gives up a snapshot whose disks somebody has changed."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("SNAPSHOT", snapshot_, "Name or id.");
    delete_.declare(arguments);
    arguments.flag("--subtree", is_subtree_, "Delete all snapshots that stand on this one, too.");
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::DeleteSnapshotRequest request{snapshot_};
    delete_.apply_to(request);
    request.subtree = is_subtree_;
    return plan_or_delete(request, is_dry_run_, context);
  }

 private:
  std::string snapshot_;
  DeleteOptions delete_;
  bool is_subtree_ = false;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_snapshot_delete() { return std::make_unique<SnapshotDelete>(); }

}  // namespace cohort::cli
