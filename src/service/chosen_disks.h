// An export of some of the disks.
#pragma once

#include <string>
#include <vector>

#include "domain/snapshot.h"

namespace cohort::service {

struct ChosenDisk {
  std::string machine;  // name or UUID
  std::string target;   // "vda", or the disk's id (DiskSnapshot::id); empty: all that the machine has
};

// The snapshot with these disks only; all others are among those left out ("not-chosen"). With none chosen it is as it
// was. UUIDs may be written in capitals. kNotFound names a disk or a machine that is not in it.
[[nodiscard]] Result<Snapshot> with_disks(Snapshot snapshot, const std::vector<ChosenDisk>& chosen);

}  // namespace cohort::service
