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
            .summary = "take a snapshot, export it, delete it",
            .description =
                "Takes a snapshot of the collection, exports it to the package DIR, and deletes the "
                "snapshot, as one job with one report. The target is checked before the snapshot is "
                "taken. If a step fails, nothing is left on the machines and no half package in DIR; "
                "if only the deleting fails, the package stays and the error says so.\n\n"
                "With --incremental the package has only what has changed since the newest package of the "
                "collection in the same folder whose snapshot is still there; if there is none, it is a full one, and "
                "it is said why. The snapshot stays then as the base of the next incremental backup, and the one that "
                "was kept before it is deleted when the package is complete. So each collection has one base for each "
                "folder, and its machines an overlay for it. Use one folder for each medium: where two take turns at "
                "one mount point, each backup is a full one.",
            .examples = {{"cohort backup shop /backup/shop-monday", "A backup of the whole collection at one instant."},
                         {"cohort backup shop /backup/shop-tuesday --incremental",
                          "Only what has changed since the backup before."},
                         {"cohort backup shop /backup/shop-monday --dry-run",
                          "Says what would be captured and how much would be written."}}};
  }

  void declare(Arguments& arguments) override {
    arguments.required("COLLECTION", collection_, "Name or id.");
    arguments.required("DIR", directory_, "The package.");
    take_.declare(arguments);
    export_.declare(arguments);
    arguments.flag("--incremental", is_incremental_,
                   "Only what has changed since the newest package beside DIR; keep the snapshot for the next.");
    arguments.dry_run(is_dry_run_);
  }

  [[nodiscard]] Result<Outcome> run(Context& context) override {
    COHORT_ASSIGN(const auto wanted, request());
    if (is_dry_run_) {
      COHORT_ASSIGN(const auto plan, context.session().plan_backup(wanted));
      return planned(to_json(plan), report_backup_plan(plan, context.detail()));
    }
    COHORT_ASSIGN(const auto report, context.run_job([&](const client::JobWatch& watch) {
      return context.session().backup(wanted, watch);
    }));
    return notice(Json{{"backup", to_json(report)}}, report_export(report, context.detail()));
  }

 private:
  [[nodiscard]] Result<service::BackupRequest> request() const {
    service::BackupRequest request;
    request.take.collection = collection_;
    COHORT_TRY(take_.apply_to(request.take));
    COHORT_ASSIGN(request.target.directory, parse_folder(directory_));
    COHORT_TRY(export_.apply_to(request.target));
    request.is_incremental = is_incremental_;
    return request;
  }

  std::string collection_;
  std::string directory_;
  TakeOptions take_;
  ExportOptions export_;
  bool is_incremental_ = false;
  bool is_dry_run_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_backup() { return std::make_unique<Backup>(); }

}  // namespace cohort::cli
