// Whether what a snapshot has left of its machines' disks can be merged back, or removed.
#pragma once

#include <string>

#include "domain/snapshot.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

[[nodiscard]] Result<bool> is_missing(const MachineId& id, Hypervisor& hypervisor);
// kNotFound, with the remedy.
[[nodiscard]] Failure missing_machine(const std::string& machine, const Snapshot& snapshot);

// Whether the machine, which exists, has no disk of this target any more, and none elsewhere on what the snapshot has
// left of it. False if that cannot be told, as where a disk of the machine cannot be read.
[[nodiscard]] bool is_detached(const MachineId& id, const DiskSnapshot& disk, Hypervisor& hypervisor);
// kInvalidState, with the remedy.
[[nodiscard]] Failure detached_disk(const MemberSnapshot& member, const DiskSnapshot& disk, const Snapshot& snapshot);

// All disks of a member whose machine exists; success if the machine vanishes meanwhile. kInvalidState, naming the
// disk, if somebody has changed it, or has detached it and `forget_missing` is not set. Looks only.
[[nodiscard]] Result<void> check_mergeable(const Snapshot& snapshot, const MemberSnapshot& member, bool forget_missing,
                                           Hypervisor& hypervisor);

}  // namespace cohort::service
