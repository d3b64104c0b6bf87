// Which virtual disk a machine's disk is, over all its snapshots.
#pragma once

#include <vector>

#include "domain/machine.h"
#include "domain/snapshot.h"

namespace cohort::service {

// What a snapshot on whose overlay the disk stands says of it; else a name of the machine and the file that the disk is
// on, which is the same again when all snapshots of it are gone. Another file in its place is another disk.
[[nodiscard]] DiskId identity_of(const MachineId& machine, const MachineDisk& disk, const std::vector<Snapshot>& known);

// Whether of two disks in snapshots, of the same target of a machine, one has taken the other's place. False where that
// is not known.
[[nodiscard]] bool is_another_disk(const DiskSnapshot& one, const DiskSnapshot& other);

}  // namespace cohort::service
