// Machines taken to the instant of a standard snapshot: what applying one and putting back have in common.
#pragma once

#include "domain/snapshot.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

// Stops the machine, whatever it does, and takes it to the instant of the snapshot, on the overlays of `member`, which
// must exist and be empty. One that had its memory kept stands still; others are off.
[[nodiscard]] Result<void> go_back(const MemberSnapshot& member, const SnapshotId& snapshot, Hypervisor& hypervisor,
                                   StateStore& store);

// Undoes an application that was not settled: all members go back to the rescue, on its overlays, and stand still if
// they ran. Can be repeated. REQUIRES: all stood still before the first was touched. One that runs on those overlays
// was let run by its owner since, and is left alone.
[[nodiscard]] Result<void> put_back(const SnapshotId& rescue, Hypervisor& hypervisor, StateStore& store);

// Lets those run that ran at the instant of the snapshot.
[[nodiscard]] Result<void> let_run(const Snapshot& snapshot, Hypervisor& hypervisor);

}  // namespace cohort::service
