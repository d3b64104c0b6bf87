// Merges a snapshot's overlays back into the machines' disks and forgets it.
#pragma once

#include <string>
#include <vector>

#include "domain/snapshot.h"
#include "service/job_context.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

struct DeleteSnapshotRequest {
  std::string snapshot;         // name, UUID, or the first characters of the UUID
  bool forget_missing = false;  // machines that no longer exist: leave their overlay files and go on
};

struct PlannedMerge {
  std::string machine;
  std::string target;
  Path overlay;
  Path into;
  bool is_missing = false;  // the machine no longer exists
};

struct DeletedSnapshot {
  SnapshotId id;
  std::string name;
  std::vector<Path> left_behind;  // overlay files of machines that no longer exist
};

// Crash: the snapshot is "deleting" in the store before the first merge; a repeated run goes on where it was.
class DeleteSnapshot {
 public:
  DeleteSnapshot(Hypervisor& hypervisor, StateStore& store);

  [[nodiscard]] Result<std::vector<PlannedMerge>> plan(const DeleteSnapshotRequest& request);
  // Checks all machines before the first merge: kNotFound naming a machine that is missing, nothing changed.
  // kInvalidState or kCancelled half way: the snapshot stays as "deleting" and the same call goes on with the rest.
  [[nodiscard]] Result<DeletedSnapshot> run(const DeleteSnapshotRequest& request, JobContext& job);

 private:
  Hypervisor& hypervisor_;
  StateStore& store_;
};

}  // namespace cohort::service
