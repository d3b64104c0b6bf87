// Brings a snapshot's overlays back into the machines' disks: what deleting and abandoning have in common.
#pragma once

#include <vector>

#include "domain/snapshot.h"
#include "service/job_context.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

// Merges every overlay and tells the store where other snapshots find their frozen files now. Overlays of machines that
// no longer exist, and of disks that were detached, are left and returned. Goes on with the other members after a
// failure, and returns the first one. Can be repeated.
[[nodiscard]] Result<std::vector<Path>> merge_back(const Snapshot& snapshot, Hypervisor& hypervisor, StateStore& store,
                                                   JobContext& job, const std::stop_token& stop);

// Thaws the guests that this snapshot may have left frozen. Who cannot be thawed now stays noted as frozen in it; the
// first error is returned.
[[nodiscard]] Result<void> thaw_members(Snapshot& snapshot, Hypervisor& hypervisor);

// Forgets the snapshot, its small files and the memory of its machines.
[[nodiscard]] Result<void> forget_snapshot(const Snapshot& snapshot, Hypervisor& hypervisor, StateStore& store);

// Resumes members that a fence may have left standing still, thaws those that it may have left frozen, merges back what
// there is, and forgets the snapshot. Overlays of machines that no longer exist, and of disks that
// were detached, are left and returned; the snapshot then stays, "deleting", for its user to decide, as it does where a
// guest cannot be thawed (an error). Success if the snapshot is not known (any more).
[[nodiscard]] Result<std::vector<Path>> abandon_snapshot(const SnapshotId& id, Hypervisor& hypervisor,
                                                         StateStore& store, JobContext& job);

}  // namespace cohort::service
