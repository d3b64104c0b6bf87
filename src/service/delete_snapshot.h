// Merges the overlays of a snapshot, or of a reference point, back into the machines' disks and forgets it, or only
// forgets it. No other one depends on it: they keep what they hold. Where several branches stand on its files, these
// stay without a name until only one is left (service/shared_layers.h).
#pragma once

#include <string>
#include <vector>

#include "domain/snapshot.h"
#include "service/job_context.h"
#include "service/mergeable.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"
#include "service/shared_layers.h"

namespace cohort::service {

struct DeleteSnapshotRequest {
  std::string snapshot;  // name, UUID, or the first characters of the UUID
  Unmergeable unmergeable = Unmergeable::kRefused;
  bool forget_only = false;         // merge nothing, touch no machine: leave all overlay files and forget the snapshot
  bool is_reference_point = false;  // `snapshot` names a reference point, which is deleted
  bool subtree = false;             // with all snapshots that were taken after it and its successors
};

[[nodiscard]] inline JobType job_type_of(const DeleteSnapshotRequest& request) {
  return request.is_reference_point ? JobType::kDeleteReferencePoint : JobType::kDeleteSnapshot;
}

struct PlannedMerge {
  std::string machine;
  std::string target;
  Path overlay;  // empty: nothing stands on `into`, which is removed
  Path into;
  bool is_missing = false;  // the machine no longer exists
  bool stays = false;       // the overlay is not merged: machine or disk is gone, the snapshot is only forgotten, or
  bool is_shared = false;   // other branches stand on its files
};

struct DeletedSnapshot {
  std::string id;  // under which it was known
  std::string name;
  std::vector<Path> left_behind;  // overlay files that were not merged
  bool forgotten_only = false;    // nothing was merged; machines may write to the files that were left
  SnapshotKind kind = SnapshotKind::kRecovery;
  std::vector<SharedLayers> shared = {};        // of what was deleted: files that stay
  std::vector<std::string> merged_layers = {};  // of what had been deleted before, and was shared until now
};

// Crash: the snapshot is "deleting" in the store before the first merge, or before it is forgotten; a repeated run goes
// on where it was.
class DeleteSnapshot {
 public:
  DeleteSnapshot(Hypervisor& hypervisor, StateStore& store);

  [[nodiscard]] Result<std::vector<PlannedMerge>> plan(const DeleteSnapshotRequest& request);
  // Checks all machines and the chains of their disks before the first merge: kNotFound naming a machine that is
  // missing, kInvalidState naming a disk that somebody has changed, or other snapshots that would be harmed; nothing is
  // changed, the snapshot stays "ready".
  // kInvalidState or kCancelled half way: the snapshot stays as "deleting" and the same call goes on with the rest.
  [[nodiscard]] Result<DeletedSnapshot> run(const DeleteSnapshotRequest& request, JobContext& job);

 private:
  // One of them; what there is to tell comes into `deleted`.
  [[nodiscard]] Result<void> remove(Snapshot snapshot, const DeleteSnapshotRequest& request, DeletedSnapshot& deleted,
                                    JobContext& job);
  [[nodiscard]] Result<void> leave(const Snapshot& snapshot, DeletedSnapshot& deleted, JobContext& job);
  [[nodiscard]] Result<void> forget(Snapshot snapshot, DeletedSnapshot& deleted);
  [[nodiscard]] Result<void> merge_freed(DeletedSnapshot& deleted, JobContext& job);

  Hypervisor& hypervisor_;
  StateStore& store_;
};

}  // namespace cohort::service
