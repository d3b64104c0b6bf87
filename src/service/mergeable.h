// Whether what a snapshot has left of its machines' disks can be merged back, or removed.
#pragma once

#include <string>

#include "domain/snapshot.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

[[nodiscard]] Result<bool> is_missing(const MachineId& id, Hypervisor& hypervisor);
// kNotFound, with the remedy.
[[nodiscard]] Failure missing_machine(const std::string& machine, const Snapshot& snapshot);

// All disks of a member whose machine exists; success if the machine vanishes meanwhile. kInvalidState, naming the
// disk, if somebody has changed it. Looks only.
[[nodiscard]] Result<void> check_mergeable(const Snapshot& snapshot, const MemberSnapshot& member,
                                           Hypervisor& hypervisor);

}  // namespace cohort::service
