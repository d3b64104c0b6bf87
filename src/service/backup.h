// Snapshot, export, delete the snapshot: one job, one report.
#pragma once

#include <string>
#include <vector>

#include "service/delete_snapshot.h"
#include "service/export_snapshot.h"
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

// Crash: recover() removes the partial package and deletes the snapshot.
class Backup {
 public:
  Backup(TakeSnapshot& take, ExportSnapshot& export_snapshot, DeleteSnapshot& delete_snapshot, StateStore& store);

  [[nodiscard]] Result<BackupPlan> plan(const BackupRequest& request, const std::stop_token& stop = {});
  // The target is checked before the snapshot is taken. After a failure of any step nothing is left on the machines;
  // if deleting a snapshot fails, the complete package stays and the error says so. What kept an older base from being
  // deleted is seen to by the next incremental backup to the folder.
  [[nodiscard]] Result<ExportReport> run(const BackupRequest& request, JobContext& job);

 private:
  struct Prepared;
  [[nodiscard]] Result<Prepared> prepare(const BackupRequest& request, const std::stop_token& stop);
  [[nodiscard]] Result<void> delete_all(const std::vector<Snapshot>& snapshots, ExportReport& report, JobContext& job);

  TakeSnapshot& take_;
  ExportSnapshot& export_;
  DeleteSnapshot& delete_;
  StateStore& store_;
};

}  // namespace cohort::service
