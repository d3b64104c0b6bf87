// The identifiers of the things Cohort keeps.
#pragma once

#include "base/id.h"

namespace cohort {

using CollectionId = Id<struct CollectionTag>;
using SnapshotId = Id<struct SnapshotTag>;
using ReferencePointId = Id<struct ReferencePointTag>;
// A virtual disk of a machine: the same in all snapshots that it was in, and another one for a disk that took its
// place.
using DiskId = Id<struct DiskTag>;
// What a disk has changed since a reference point.
using TrackingId = Id<struct TrackingTag>;
using JobId = Id<struct JobTag>;
// The UUID under which libvirt knows a machine.
using MachineId = Id<struct MachineTag>;
// The UUID under which libvirt knows a network.
using NetworkId = Id<struct NetworkTag>;

}  // namespace cohort
