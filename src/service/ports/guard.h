// The watcher that lets members run again if the process that made them stand still dies or overruns.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace cohort::service {

// A guard that is ready. Destroying it without disarm() counts as the death of this process: members are resumed.
class ArmedGuard {
 public:
  virtual ~ArmedGuard() = default;
  // The fence goes up now: from here the deadline runs. Before it the guard touches no machine.
  [[nodiscard]] virtual Result<void> raise() = 0;
  // The fence is down, all members run. True if the guard had to act meanwhile: then the instant is void.
  [[nodiscard]] virtual Result<bool> disarm() = 0;
};

class Guard {
 public:
  virtual ~Guard() = default;
  // Starts the watcher for these machines and waits until it is ready (its own connection stands). When the deadline
  // passes, or this process is gone, it resumes those of them that stand still by order of a user, and keeps doing so
  // until told otherwise or until all have run for two seconds.
  [[nodiscard]] virtual Result<std::unique_ptr<ArmedGuard>> arm(const std::vector<MachineId>& machines,
                                                                Milliseconds deadline) = 0;
};

}  // namespace cohort::service
