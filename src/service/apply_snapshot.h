// Takes a collection back to a standard snapshot: disks, memory, configuration and power state of all members, or none.
#pragma once

#include <optional>
#include <string>

#include "domain/snapshot.h"
#include "service/job_context.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"
#include "service/take_snapshot.h"
#include "service/undo.h"

namespace cohort::service {

struct ApplyRequest {
  std::string snapshot;                       // name, UUID, or the first characters of the UUID
  bool keep_current = false;                  // what the machines are like now stays as a snapshot
  std::string name = {};                      // of that one; empty: as take_snapshot names it
  std::optional<Milliseconds> deadline = {};  // of the fence for it: see TakeSnapshotRequest
};

struct ApplyPlan {
  Snapshot snapshot;  // that is gone back to
  Snapshot rescue;    // of the machines as they are now: kept, or there for the case that a member fails
};

struct AppliedSnapshot {
  Snapshot snapshot;
  std::optional<Snapshot> kept;
};

// The machines as they are now are kept in a snapshot of their own (the rescue) before anything else is done. A member
// that fails puts all members back to the instant of that snapshot.
//
// Crash: before the change of the store that makes the snapshot the current one (StateStore::settle), recovery puts
//        all back; from then on it completes. Members stand still or are off until it has come to them.
class ApplySnapshot {
 public:
  // The collaborators must outlive this object.
  ApplySnapshot(TakeSnapshot& take, Undo& undo, Hypervisor& hypervisor, StateStore& store);

  // Fails like run() where it can be told before.
  [[nodiscard]] Result<ApplyPlan> plan(const ApplyRequest& request);
  // kNotFound; kInvalidState naming what prevents it: members that were added or removed since, a disk that stands on
  // other files, a machine whose memory cannot be saved; kUnsupported if it is no standard snapshot; kCorrupt if what
  // it holds was written to. What take_snapshot fails with. After any failure all members are where they were.
  [[nodiscard]] Result<AppliedSnapshot> run(const ApplyRequest& request, JobContext& job);

 private:
  [[nodiscard]] Result<Snapshot> find(const ApplyRequest& request);
  [[nodiscard]] static TakeSnapshotRequest rescue_for(const ApplyRequest& request, const Snapshot& snapshot);
  // All members are at the instant of `branch` when it succeeds, and stand still or are off.
  [[nodiscard]] Result<void> switch_over(const Snapshot& branch, const Snapshot& rescue, JobContext& job);
  // From here on it is completed; what is left to do is done.
  [[nodiscard]] Result<void> settle(const Snapshot& branch, const Snapshot& rescue, bool keeps_rescue, JobContext& job);

  TakeSnapshot& take_;
  Undo& undo_;
  Hypervisor& hypervisor_;
  StateStore& store_;
};

}  // namespace cohort::service
