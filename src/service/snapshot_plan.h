// What a snapshot of a collection would take, checked before anything is changed.
#pragma once

#include "base/clock.h"
#include "domain/snapshot.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"
#include "service/take_snapshot.h"

namespace cohort::service {

// The snapshot with all its members, disks and overlay names, state kCreating, no instant yet.
// Fails naming every member that is missing (kNotFound), cannot be snapshotted now (kInvalidState), or has disks that
// never can (kUnsupported); kNoSpace where an overlay would not fit.
[[nodiscard]] Result<Snapshot> plan_snapshot(const TakeSnapshotRequest& request, Hypervisor& hypervisor,
                                             StateStore& store, const Clock& clock);

}  // namespace cohort::service
