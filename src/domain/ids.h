// The identifiers of the things Cohort keeps.
#pragma once

#include "base/id.h"

namespace cohort {

using CollectionId = Id<struct CollectionTag>;
using SnapshotId = Id<struct SnapshotTag>;
using JobId = Id<struct JobTag>;
// The UUID under which libvirt knows a machine.
using MachineId = Id<struct MachineTag>;
// The UUID under which libvirt knows a network.
using NetworkId = Id<struct NetworkTag>;

}  // namespace cohort
