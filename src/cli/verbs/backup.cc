#include <memory>
#include <string>

#include "cli/arguments/arguments.h"
#include "cli/arguments/shared_options.h"
#include "cli/arguments/values.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace cohort::cli {

namespace {

class Backup final : public Verb {
 public:
  [[nodiscard]] Manual manual() const override {
    return {.name = "backup",
            .summary = "take a snapshot and export what is new in it",
            .description =
                "Takes a snapshot of the collection and exports it to the package DIR, as one job with one report. The "
                "package has only what has changed since the newest package of the collection in the same folder whose "
                "snapshot is still there; if there is none, it is a full one, and it is said why. The target is "
                "checked before the snapshot is taken. If a step fails, the machines are as they were, and there is no "
                "half package in DIR.\n\n"
                "The snapshot stays as the base of the next backup, and the one that was kept before it is deleted "
                "when the package is complete. So each collection has one base for each folder, and its machines an "
                "overlay for it, until the base is deleted (`cohort snapshot list` shows it). Use one folder for each "
                "medium: where two take turns at one mount point, each backup is a full one. With --merge each package "
                "is a full one, made of the one before and what has changed since, and only the latter is read from "
                "the machines' disks.\n\n"
                "With --full the package stands on no other and is no other's base: the snapshot is deleted when it is "
                "exported, and nothing is left on the machines. If only the deleting fails, the package stays and the "
                "error says so.\n\n"
                "With any of the --keep options, the packages of the collection in the same folder that no rule keeps "
                "are removed when the backup is complete, as `cohort package prune` does, as a job of its own. The new "
                "package is kept in any case. Nothing is removed when the backup has failed, in whatever step. If only "
                "the pruning fails or is cancelled, the backup is complete, and is reported as such, with what failed; "
                "the exit status is that of the failure, so that whoever runs this every night hears of it, and the "
                "next one goes on.",
            .examples = {{"cohort backup shop /backup/shop-monday",
                          "The whole collection at one instant: all of it the first time, then what has changed."},
                         {"cohort backup shop /backup/shop-$(date +%F) --keep-daily 7 --keep-weekly 4",
                          "Every night: what has changed, and what is too old goes."},
                         {"cohort backup shop /archive/shop-2026 --full",
                          "A package of its own; nothing is left on the machines."},
                         {"cohort backup shop /backup/shop-monday --dry-run",
                          "Says what would be captured and how much would be written."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("COLLECTION", collection_, "Name or id.");
    arguments.required("DIR", directory_, "The package.");
    take_.declare(arguments);
    export_.declare(arguments);
    arguments.flag("--full", is_full_, "All of it, as a package that nothing stands on; delete the snapshot.");
    arguments.flag("--merge", is_merged_, "Make a full package of what has changed and of the package before.");
    keep_.declare(arguments);
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto wanted, request());
    COHORT_ASSIGN(const Retention retention, keep_.retention());
    if (is_dry_run_) return plan(wanted, retention, context);
    COHORT_ASSIGN(const auto report, context.run_job([&](const client::JobWatch& watch) {
      return context.session().backup(wanted, watch);
    }));
    const Json backup = to_json(report);
    const std::string text = report_export(report, context.detail());
    if (!retention.keeps_any()) return notice(Json{{"backup", backup}, {"prune", {}}, {"prune_error", {}}}, text);
    const auto pruned = prune(report, retention, context);
    if (pruned) {
      return notice(Json{{"backup", backup}, {"prune", to_json(*pruned)}, {"prune_error", {}}},
                    text + "\n" + report_prune(*pruned));
    }
    // With --quiet, too: it is more than a notice.
    Outcome outcome = answer(Json{{"backup", backup}, {"prune", {}}, {"prune_error", to_json(pruned.error())}},
                             text + "\nThe backup is complete, but not all packages that are too old are removed.\n" +
                                 report_error(pruned.error(), context.detail()));
    outcome.exit_code = exit_code(pruned.error().code);
    return outcome;
  }

 private:
  static service::PruneRequest request_for(const Path& package, const CollectionId& collection,
                                           const Retention& retention) {
    return {package.parent_path(), retention, collection, package, {}};
  }

  static Result<Outcome> plan(const service::BackupRequest& wanted, const Retention& retention, Context& context) {
    COHORT_ASSIGN(const auto plan, context.session().plan_backup(wanted));
    Json json = to_json(plan);
    std::string text = report_backup_plan(plan, context.detail());
    json["prune"] = nullptr;
    if (retention.keeps_any()) {
      auto prune = request_for(plan.target.package, plan.snapshot.collection, retention);
      prune.coming = service::coming_package(plan, context.clock().wall());
      COHORT_ASSIGN(const auto pruned, context.session().plan_prune(prune));
      json["prune"] = to_json(pruned);
      text += "\n" + report_prune_plan(pruned);
    }
    return planned(std::move(json), std::move(text));
  }

  static Result<service::PrunePlan> prune(const service::ExportReport& report, const Retention& retention,
                                          Context& context) {
    const auto request = request_for(report.package, report.snapshot.collection, retention);
    return context.run_job(
        [&](const client::JobWatch& watch) { return context.session().prune_packages(request, watch); });
  }

  [[nodiscard]] Result<service::BackupRequest> request() const {
    service::BackupRequest request;
    request.take.collection = collection_;
    COHORT_TRY(take_.apply_to(request.take));
    COHORT_ASSIGN(request.target.directory, parse_folder(directory_));
    COHORT_TRY(export_.apply_to(request.target));
    if (is_merged_ && is_full_) {
      return fail(ErrorCode::kInvalidArgument,
                  "There is nothing to merge a full backup with: leave out --full or --merge.");
    }
    request.target.is_merged = is_merged_;
    request.is_incremental = !is_full_;
    return request;
  }

  std::string collection_;
  std::string directory_;
  TakeOptions take_;
  ExportOptions export_;
  KeepOptions keep_;
  bool is_full_ = false;
  bool is_merged_ = false;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_backup() { return std::make_unique<Backup>(); }

}  // namespace cohort::cli
