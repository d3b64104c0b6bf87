#include "service/backup.h"

#include "base/kill_point.h"

namespace cohort::service {
namespace {

// What is left to say when the package is whole, but the machines are not on their own disks again yet.
Error after_package(Error error, const ExportReport& report) {
  error.message += fmt::format(" The package \"{}\" is complete.", report.package.string());
  return error;
}

}  // namespace

Backup::Backup(TakeSnapshot& take, ExportSnapshot& export_snapshot, DeleteSnapshot& delete_snapshot)
    : take_(take), export_(export_snapshot), delete_(delete_snapshot) {}

Result<BackupPlan> Backup::plan(const BackupRequest& request, const std::stop_token& stop) {
  BackupPlan plan;
  COHORT_ASSIGN(plan.snapshot, take_.plan(request.take));
  COHORT_ASSIGN(plan.target, export_.plan(request.target, plan.snapshot, stop));
  return plan;
}

Result<ExportReport> Backup::run(const BackupRequest& request, JobContext& job) {
  job.set_phase("planning");
  COHORT_TRY(plan(request, job.stop()));
  COHORT_ASSIGN(const auto taken, take_.take(request.take, job));
  ExportRequest target = request.target;
  target.snapshot = taken.snapshot.id.str();
  COHORT_ASSIGN(auto report, export_.run(target, job));
  kill_point("backup.exported");
  auto deleted = delete_.run({taken.snapshot.id.str(), true}, job);
  if (!deleted) return Failure{after_package(deleted.error(), report)};
  report.left_behind = std::move(deleted->left_behind);
  COHORT_TRY(job.will_keep(taken.step));
  job.set_result(report.package.string());
  return report;
}

}  // namespace cohort::service
