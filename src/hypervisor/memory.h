// The memory of machines, whose saving libvirt does as a job of the machine.
#pragma once

#include <libvirt/libvirt.h>

#include "hypervisor/power.h"

namespace cohort::hypervisor {

// libvirt is told to stop saving the memory, should it be at it: no machine is resumed before that is over. Whoever
// waits for it gets an error.
// REQUIRES: the machine stands still for a snapshot of ours; other jobs (a migration) would be ended, too.
void break_off_saving(virDomainPtr domain);

// It stands still since restore(), and not in the middle of a migration.
[[nodiscard]] bool was_restored(virDomainPtr domain, const DomainState& state);

}  // namespace cohort::hypervisor
