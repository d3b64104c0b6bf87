#include "service/backup.h"

#include <algorithm>

#include "base/kill_point.h"
#include "service/backup_base.h"
#include "service/lookup.h"

namespace cohort::service {
namespace {

// What is left to say when the package is whole, but the machines are not on the disks yet that they are to have.
Error after_package(Error error, const ExportReport& report) {
  error.message += fmt::format(" The package \"{}\" is complete.", report.package.string());
  return error;
}

}  // namespace

// The request with all that is looked up for it.
struct Backup::Prepared {
  BackupRequest request;
  BackupPlan plan;
};

Backup::Backup(TakeSnapshot& take, ExportSnapshot& export_snapshot, DeleteSnapshot& delete_snapshot, StateStore& store)
    : take_(take), export_(export_snapshot), delete_(delete_snapshot), store_(store) {}

Result<Backup::Prepared> Backup::prepare(const BackupRequest& request, const std::stop_token& stop) {
  Prepared prepared{request, {}};
  prepared.request.take.kept_for.clear();
  if (request.is_incremental) {
    COHORT_ASSIGN(const auto collection, find_collection(store_, request.take.collection));
    COHORT_ASSIGN(auto base, find_backup_base(request.target, collection.id, store_));
    COHORT_ASSIGN(const auto all, store_.snapshots());
    prepared.request.take.kept_for = base.folder;
    prepared.request.target.since = base.package;
    prepared.plan.full_because = std::move(base.why);
    prepared.plan.outlived = kept_bases(all, base.folder, collection.id);
  }
  COHORT_ASSIGN(prepared.plan.snapshot, take_.plan(prepared.request.take));
  COHORT_ASSIGN(prepared.plan.target, export_.plan(prepared.request.target, prepared.plan.snapshot, stop));
  return prepared;
}

Result<BackupPlan> Backup::plan(const BackupRequest& request, const std::stop_token& stop) {
  return prepare(request, stop).map([](Prepared&& prepared) { return std::move(prepared.plan); });
}

Result<ExportReport> Backup::run(const BackupRequest& request, JobContext& job) {
  job.set_phase("planning");
  COHORT_ASSIGN(auto prepared, prepare(request, job.stop()));
  COHORT_ASSIGN(const auto taken, take_.take(prepared.request.take, job));
  ExportRequest target = prepared.request.target;
  target.snapshot = taken.snapshot.id.str();
  COHORT_ASSIGN(auto report, export_.run(target, job));
  report.full_because = prepared.plan.full_because;
  kill_point("backup.exported");
  if (request.is_incremental) {
    COHORT_TRY(job.will_keep(taken.step));
    kill_point("backup.base_kept");
    COHORT_TRY(delete_all(prepared.plan.outlived, report, job));
  } else {
    COHORT_TRY(delete_all({taken.snapshot}, report, job));
    COHORT_TRY(job.will_keep(taken.step));
  }
  job.set_result(report.package.string());
  return report;
}

Result<void> Backup::delete_all(const std::vector<Snapshot>& snapshots, ExportReport& report, JobContext& job) {
  for (const auto& snapshot : snapshots) {
    auto deleted = delete_.run({snapshot.id.str(), true}, job);
    if (!deleted) return Failure{after_package(deleted.error(), report)};
    std::ranges::copy(deleted->left_behind, std::back_inserter(report.left_behind));
  }
  return {};
}

}  // namespace cohort::service
