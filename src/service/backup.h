// Snapshot, export, delete the snapshot: one job, one report.
#pragma once

#include "service/delete_snapshot.h"
#include "service/export_snapshot.h"
#include "service/take_snapshot.h"

namespace cohort::service {

struct BackupRequest {
  TakeSnapshotRequest take;  // `name` is ignored
  ExportRequest target;      // `snapshot` is ignored
};

struct BackupPlan {
  Snapshot snapshot;
  ExportPlan target;
};

// Crash: recover() removes the partial package and deletes the snapshot.
class Backup {
 public:
  Backup(TakeSnapshot& take, ExportSnapshot& export_snapshot, DeleteSnapshot& delete_snapshot);

  [[nodiscard]] Result<BackupPlan> plan(const BackupRequest& request, const std::stop_token& stop = {});
  // The target is checked before the snapshot is taken. After a failure of any step nothing is left on the machines;
  // if deleting the snapshot fails, the complete package stays and the error says so.
  [[nodiscard]] Result<ExportReport> run(const BackupRequest& request, JobContext& job);

 private:
  TakeSnapshot& take_;
  ExportSnapshot& export_;
  DeleteSnapshot& delete_;
};

}  // namespace cohort::service
