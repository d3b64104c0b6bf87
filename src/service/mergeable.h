// Whether what a snapshot has left of its machines' disks can be merged back, or removed.
#pragma once

#include <set>
#include <string>

#include "domain/snapshot.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

// What becomes of disks that cannot be merged when their snapshot is deleted.
enum class Unmergeable {
  kRefused,    // nothing is deleted; the error says how to go on
  kForgotten,  // of machines that are missing and disks that were detached: their files stay, and nobody knows of them
  kKept,       // their files stay, and what is known of them (service/shared_layers.h): the rest is deleted
};

[[nodiscard]] Result<bool> is_missing(const MachineId& id, Hypervisor& hypervisor);
// kNotFound, with the remedy.
[[nodiscard]] Failure missing_machine(const std::string& machine, const Snapshot& snapshot);

// Whether the machine, which exists, has no disk of this target any more, and none elsewhere on what the snapshot has
// left of it. False if that cannot be told, as where a disk of the machine cannot be read.
[[nodiscard]] bool is_detached(const MachineId& id, const DiskSnapshot& disk, Hypervisor& hypervisor);
// kInvalidState, with the remedy.
[[nodiscard]] Failure detached_disk(const MemberSnapshot& member, const DiskSnapshot& disk, const Snapshot& snapshot);

struct Remainder {
  std::set<Path> frozen;  // the files that would have to be merged into, or removed
  std::string why;        // a sentence, of the first of them
};
// What of the snapshot cannot be merged now: its machine is missing, its disk was detached, or somebody has changed it.
// An error only if that cannot be told. Looks only.
[[nodiscard]] Result<Remainder> unmergeable_of(const Snapshot& snapshot, Hypervisor& hypervisor);

// The snapshot with those of its disks whose frozen file is in the set, or is not; members without such a disk go.
[[nodiscard]] Snapshot only_with(const std::set<Path>& frozen, Snapshot snapshot);
[[nodiscard]] Snapshot without(const std::set<Path>& frozen, Snapshot snapshot);

// All disks of a member whose machine exists; success if the machine vanishes meanwhile. kInvalidState, naming the
// disk, if somebody has changed it, or has detached it and `forget_missing` is not set. Looks only.
[[nodiscard]] Result<void> check_mergeable(const Snapshot& snapshot, const MemberSnapshot& member, bool forget_missing,
                                           Hypervisor& hypervisor);

}  // namespace cohort::service
