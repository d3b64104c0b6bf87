#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/shared_options.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class SnapshotTake final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "take",
        .summary = "capture all machines of a collection at one instant",
        .description =
            "Makes all running machines of the collection stand still together, gives every disk "
            "an overlay, and lets them run again: all members are captured, or none. Machines "
            "that are paused or off are captured as they are. CD-ROMs and read-only disks are "
            "left out and named; disks that cannot be snapshotted are refused unless "
            "--ignore-non-snapshottable is given.\n\n"
            "No machine stands still longer than the deadline, even if this program is killed: "
            "past it all run again, and the snapshot is taken back.\n\n"
            "With --standard, the memory of machines that run or are paused is kept, too, together "
            "with each machine's definition: what `cohort snapshot take` makes otherwise is a recovery "
            "snapshot, which holds disks for backups. The machines stand still until their memory is "
            "saved to files beside their disks. --dry-run says how much that is and how long it may take, "
            "on the assumption that 200 MiB are written in a second; the snapshot shows how long it "
            "took. --disk-only leaves the memory out. Exports do not hold memory.\n\n"
            "With --consistency application, the agents of all running machines first freeze their "
            "file systems and run their freeze hooks (on Windows: VSS), all at once. If one cannot, "
            "all are thawed and nothing is captured; the error names each such machine and why. With "
            "best, it is captured as after a power failure, and the reason is kept with the snapshot. "
            "Machines that are paused or off are captured as they are. The guests are thawed as "
            "soon as they run again, even if this program is killed.",
        .examples = {{"cohort snapshot take shop --name before-upgrade", "Takes a snapshot and names it."},
                     {"cohort snapshot take shop --consistency application",
                      "Has the guests freeze their file systems for the instant."},
                     {"cohort snapshot take shop --standard", "Keeps the memory of the machines, too."},
                     {"cohort snapshot take shop --dry-run", "Says what would be captured, and what prevents it."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("COLLECTION", collection_, "Name or id.");
    arguments.option("--name", name_, "NAME", "Name of the snapshot; default: the collection and the instant.");
    arguments.flag("--standard", is_standard_, "Take a standard snapshot: with memory and definitions.");
    arguments.flag("--disk-only", is_disk_only_, "Take a standard snapshot without memory.");
    take_.declare(arguments);
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::TakeSnapshotRequest request;
    request.collection = collection_;
    request.name = name_;
    COHORT_TRY(take_.apply_to(request));
    if (is_standard_ || is_disk_only_) request.kind = SnapshotKind::kStandard;
    request.without_memory = is_disk_only_;
    if (is_dry_run_) {
      COHORT_ASSIGN(const auto plan, context.session().plan_take_snapshot(request));
      return planned(plan_to_json(plan), report_snapshot_plan(plan, context.detail()));
    }
    COHORT_ASSIGN(const auto taken, context.run_job([&](const client::JobWatch& watch) {
      return context.session().take_snapshot(request, watch);
    }));
    return notice(Json{{"snapshot", to_json(taken)}}, report_snapshot(taken, context.detail()));
  }

 private:
  std::string collection_;
  std::string name_;
  TakeOptions take_;
  bool is_standard_ = false;
  bool is_disk_only_ = false;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_snapshot_take() { return std::make_unique<SnapshotTake>(); }

}  // namespace cohort::cli
