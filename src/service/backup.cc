#include "service/backup.h"

#include <algorithm>
#include <iterator>

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

// Each deletion says it of what the ones before could not merge, too, and of other collections'.
void note_shared(const std::vector<SharedLayers>& shared, ExportReport& report) {
  for (const auto& layers : shared) {
    if (layers.collection != report.snapshot.collection) continue;
    std::erase_if(report.shared, [&](const SharedLayers& noted) { return noted.name == layers.name; });
    report.shared.push_back(layers);
  }
}

}  // namespace

StoredPackage coming_package(const BackupPlan& plan, WallTime now) {
  StoredPackage coming{plan.target.package, package::Manifest{}, {}};
  coming.manifest->collection = plan.snapshot.collection;
  coming.manifest->collection_name = plan.snapshot.collection_name;
  coming.manifest->snapshot = plan.snapshot.id;
  coming.manifest->instant = now;
  coming.manifest->parent = plan.target.parent;
  coming.size.bytes = plan.target.estimated_bytes;
  if (!plan.target.parent) return coming;
  const package::ParentPackage& base = *plan.target.parent;
  const Path path = (plan.target.package / base.path).lexically_normal();
  coming.parents.push_back({path, base.snapshot, base.snapshot_name, base.instant});
  if (const auto stored = stored_package(path)) std::ranges::copy(stored->parents, std::back_inserter(coming.parents));
  return coming;
}

// The request with all that is looked up for it.
struct Backup::Prepared {
  BackupRequest request;
  BackupPlan plan;
};

Backup::Backup(TakeSnapshot& take, ExportSnapshot& export_snapshot, DeleteSnapshot& delete_snapshot, StateStore& store,
               const Clock& clock)
    : take_(take), export_(export_snapshot), delete_(delete_snapshot), store_(store), clock_(clock) {}

Result<Backup::Prepared> Backup::prepare(const BackupRequest& request, const std::stop_token& stop) {
  Prepared prepared{request, {}};
  prepared.request.take.kept_for.clear();
  if (request.is_incremental) {
    COHORT_ASSIGN(const auto collection, find_collection(store_, request.take.collection));
    COHORT_ASSIGN(auto base, find_backup_base(request.target, collection.id, store_, clock_.wall(), stop));
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
  job.works_on({prepared.plan.snapshot.collection, {}});
  COHORT_TRY(finish_deletions(prepared.plan.outlived, job));
  COHORT_ASSIGN(const auto taken, take_.take(prepared.request.take, job));
  ExportRequest target = prepared.request.target;
  target.snapshot = taken.snapshot.id.str();
  COHORT_ASSIGN(auto report, export_.run(target, job));
  report.full_because = prepared.plan.full_because;
  kill_point("backup.exported");
  auto done = request.is_incremental ? roll_forward(taken.step, prepared.plan.outlived, report, job)
                                     : remove(taken, report, job);
  // Each deletion has set another one.
  job.set_result(report.package.string());
  if (!done) return Failure{after_package(std::move(done).error(), report)};
  return report;
}

Result<void> Backup::remove(const TakenSnapshot& taken, ExportReport& report, JobContext& job) {
  COHORT_ASSIGN(auto deleted, delete_.run({taken.snapshot.id.str(), Unmergeable::kForgotten}, job));
  report.left_behind = std::move(deleted.left_behind);
  return job.will_keep(taken.step);
}

// What was half deleted by an earlier backup is no base, and what stands on it is not trusted before it is whole again.
// What cannot be finished now is tried again when the package is complete, and told then.
Result<void> Backup::finish_deletions(std::vector<Snapshot>& outlived, JobContext& job) {
  for (auto& snapshot : outlived) {
    if (snapshot.state != SnapshotState::kDeleting) continue;
    const auto deleted = delete_.run({snapshot.id.str(), Unmergeable::kKept}, job);
    if (!deleted && deleted.error().code == ErrorCode::kCancelled) return Failure{deleted.error()};
    if (deleted) snapshot.id = {};
  }
  std::erase_if(outlived, [](const Snapshot& snapshot) { return snapshot.id.is_nil(); });
  return {};
}

Result<void> Backup::roll_forward(const UndoStep& step, const std::vector<Snapshot>& outlived, ExportReport& report,
                                  JobContext& job) {
  COHORT_TRY(job.will_keep(step));
  job.will_stay();
  kill_point("backup.base_kept");
  Result<void> first;
  for (const auto& snapshot : outlived) {
    auto deleted = delete_.run({snapshot.id.str(), Unmergeable::kKept}, job);
    if (deleted) {
      note_shared(deleted->shared, report);
      continue;
    }
    const bool is_cancelled = deleted.error().code == ErrorCode::kCancelled;
    if (first) first = Failure{std::move(deleted).error()};
    if (is_cancelled) break;
  }
  return first;
}

}  // namespace cohort::service
