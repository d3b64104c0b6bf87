// Snapshot, export, delete the snapshot: one job, one report.
#pragma once

#include <string>
#include <vector>

#include "service/delete_snapshot.h"
#include "service/export_snapshot.h"
#include "service/stored_packages.h"
#include "service/take_snapshot.h"

namespace cohort::service {

struct BackupRequest {
  TakeSnapshotRequest take;  // `name` and `kept_for` are ignored
  ExportRequest target;      // `snapshot` is ignored; `since` too if it is incremental
  // The difference from the newest package of the collection in the same folder whose snapshot is still there. The new
  // snapshot stays as the base of the next; those that earlier ones have kept for that folder are deleted.
  bool is_incremental = false;
};

struct BackupPlan {
  Snapshot snapshot;
  ExportPlan target;
  std::string full_because = {};        // if it was to be incremental, and nothing can be its base
  std::vector<Snapshot> outlived = {};  // would be deleted when the package is complete
};

// The package that the backup would make, as it would lie in its folder: for plans of what is pruned then.
[[nodiscard]] StoredPackage coming_package(const BackupPlan& plan, WallTime now);

// Crash: recover() removes the partial package and deletes the new snapshot; once an incremental one is complete, what
// is left of the older bases is deleted by recover(), or by the next backup.
class Backup {
 public:
  Backup(TakeSnapshot& take, ExportSnapshot& export_snapshot, DeleteSnapshot& delete_snapshot, StateStore& store,
         const Clock& clock);

  [[nodiscard]] Result<BackupPlan> plan(const BackupRequest& request, const std::stop_token& stop = {});
  // The target is checked before the snapshot is taken. After a failure before the package is complete the machines are
  // as before. If only deleting a snapshot fails, or is cancelled, the complete package stays and the error says so;
  // the next incremental backup to the folder goes on with it. What an older base has left of machines that are missing
  // and of disks that were detached stays, and what is known of it (service/shared_layers.h): its overlays may be all
  // that is left of a day, and the disk may come back.
  [[nodiscard]] Result<ExportReport> run(const BackupRequest& request, JobContext& job);

 private:
  struct Prepared;
  [[nodiscard]] Result<Prepared> prepare(const BackupRequest& request, const std::stop_token& stop);
  [[nodiscard]] Result<void> remove(const TakenSnapshot& taken, ExportReport& report, JobContext& job);
  [[nodiscard]] Result<void> finish_deletions(std::vector<Snapshot>& outlived, JobContext& job);
  [[nodiscard]] Result<void> roll_forward(const UndoStep& step, const std::vector<Snapshot>& outlived,
                                          ExportReport& report, JobContext& job);

  TakeSnapshot& take_;
  ExportSnapshot& export_;
  DeleteSnapshot& delete_;
  StateStore& store_;
  const Clock& clock_;
};

}  // namespace cohort::service
