#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class SnapshotApply final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {
        .name = "apply",
        .summary = "take a collection back to a standard snapshot",
        .description =
            "Takes all machines of a collection back to the instant of a standard snapshot, or none: "
            "their disks, their definitions, UEFI variables and TPM state, and their memory, from which "
            "those that ran go on where they were. Those that were paused stand still, those that were "
            "off are off. Where the snapshot has no memory (--disk-only), machines that ran are off "
            "afterwards, and start as after a power failure.\n\n"
            "The machines are stopped for it as if their power failed, and what they were doing is lost, "
            "unless --keep-current makes it a snapshot of its own first. That snapshot is taken in any "
            "case, with memory, and needs the time and the room for it: if one machine cannot go back, "
            "all are put back to it. What they did between its instant and being stopped is lost then, "
            "too.\n\n"
            "The snapshot stays, and can be applied again. Snapshots that are taken afterwards stand on "
            "it: `cohort snapshot list` shows the branches, and which snapshot the machines go on from. "
            "The collection must have the members that it had. Disks that were attached since are "
            "detached, and their files stay as they are.\n\n"
            "If this program is killed, machines may be off or stand still until the next command that "
            "changes something: it puts all back, or completes what was begun.",
        .examples = {{"cohort snapshot apply before-upgrade", "Takes the machines back."},
                     {"cohort snapshot apply before-upgrade --keep-current=after",
                      "Keeps what they are like now as the snapshot \"after\"."},
                     {"cohort snapshot apply before-upgrade --dry-run", "Says what would become of each machine."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("SNAPSHOT", snapshot_, "Name or id.");
    arguments.flag_with_value("--keep-current", keep_,
                              "Keep what the machines are like now as a snapshot, with this name if one is given: "
                              "--keep-current=NAME.");
    arguments.option("--deadline", deadline_ms_, "MS",
                     "The longest time any machine may stand still while its memory is saved, in milliseconds, up to "
                     "3600000; default: 2000 and twice what saving it is estimated to take.");
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    service::ApplyRequest request;
    request.snapshot = snapshot_;
    request.keep_current = !keep_.empty();
    if (deadline_ms_) request.deadline = Milliseconds(*deadline_ms_);
    if (keep_ != Arguments::kNoValue) request.name = keep_;
    if (is_dry_run_) {
      COHORT_ASSIGN(const auto plan, context.session().plan_apply(request));
      return planned(to_json(plan, request.keep_current), report_apply_plan(plan, request.keep_current));
    }
    COHORT_ASSIGN(const auto applied, context.run_job([&](const client::JobWatch& watch) {
      return context.session().apply_snapshot(request, watch);
    }));
    return notice(Json{{"applied", to_json(applied)}}, report_applied(applied));
  }

 private:
  std::string snapshot_;
  std::string keep_;
  std::optional<std::int64_t> deadline_ms_;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_snapshot_apply() { return std::make_unique<SnapshotApply>(); }

}  // namespace cohort::cli
