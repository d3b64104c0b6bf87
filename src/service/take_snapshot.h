// Captures every member of a collection at one instant. All members are captured, or none is kept.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "domain/snapshot.h"
#include "service/job_context.h"
#include "service/ports/guard.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

struct TakeSnapshotRequest {
  std::string collection;  // name, UUID, or the first characters of the UUID
  std::string name;        // empty: "<collection> <instant>"
  // Longest time any member may stand still: 100 to 30,000 ms, with memory to 3,600,000 ms. Absent: 2,000 ms, and with
  // memory twice what saving it is estimated to take on top of it.
  std::optional<Milliseconds> deadline = {};
  ConsistencyWish consistency = ConsistencyWish::kCrash;
  Milliseconds freeze_deadline{10'000};   // longest time to freeze all guests; 1,000 to 300,000 ms
  bool ignore_non_snapshottable = false;  // leave out disks that cannot be snapshotted instead of refusing
  Path kept_for = {};                     // see Snapshot
  // kReferencePoint: it is one from the beginning.
  SnapshotKind kind = SnapshotKind::kRecovery;
  bool without_memory = false;  // of kStandard
};

[[nodiscard]] inline JobType job_type_of(const TakeSnapshotRequest& request) {
  return request.kind == SnapshotKind::kReferencePoint ? JobType::kCreateReferencePoint : JobType::kTakeSnapshot;
}

// A snapshot that is ready, and the step that takes it back unless the job keeps it.
struct TakenSnapshot {
  Snapshot snapshot;
  UndoStep step;
};

// Threads: run on a job's thread; it blocks on the hypervisor.
// Crash:   the plan is in the store before anything acts; recover() takes back what is open.
class TakeSnapshot {
 public:
  // The collaborators must outlive this object.
  TakeSnapshot(Hypervisor& hypervisor, StateStore& store, Guard& guard, const Clock& clock);

  // What would be done: members, disks, overlays. Where more than crash consistency is asked for, the guests are asked
  // whether they can be frozen; they are not frozen. Fails like run() where a member cannot be snapshotted.
  [[nodiscard]] Result<Snapshot> plan(const TakeSnapshotRequest& request);

  // kNotFound, kInvalidArgument; kInvalidState or kUnsupported naming the machine and disk that prevent it;
  // kTimeout past a deadline; kCancelled. It names machines that have vanished or stopped meanwhile. After any
  // failure all members run as before, on their own disks.
  [[nodiscard]] Result<Snapshot> run(const TakeSnapshotRequest& request, JobContext& job);

  // The same for a snapshot that lives no longer than the job: it is taken back should the job not end well.
  [[nodiscard]] Result<TakenSnapshot> take(const TakeSnapshotRequest& request, JobContext& job);

 private:
  // All steps of a plan, whose undoing is recorded.
  [[nodiscard]] Result<void> carry_out(Snapshot& snapshot, JobContext& job);

  Hypervisor& hypervisor_;
  StateStore& store_;
  Guard& guard_;
  const Clock& clock_;
};

}  // namespace cohort::service
