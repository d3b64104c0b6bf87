// One guard at a time for a machine.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "domain/ids.h"

namespace cohort::hypervisor {

// Held as long as the object, and no longer than the process lives.
//
// The guard of a process that has died goes on resuming its members for some seconds. A fence raised meanwhile would be
// broken by it.
class GuardClaim {
 public:
  // Waits for the guards that hold any of these machines; kInUse if that takes longer than `patience`.
  [[nodiscard]] static Result<GuardClaim> acquire(std::vector<MachineId> machines, Milliseconds patience);

 private:
  GuardClaim() = default;

  std::vector<UniqueFd> sockets_;
};

}  // namespace cohort::hypervisor
