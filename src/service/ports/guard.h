// The watcher that lets members run again if the process that made them stand still dies or overruns.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace cohort::service {

// What a guard watches over.
struct GuardedFence {
  std::vector<MachineId> machines;  // that will stand still
  Milliseconds deadline{0};         // the longest time they may, from raise()
  std::vector<MachineId> freezing;  // whose file systems will be frozen
  Milliseconds longest_freeze{0};   // the longest time they may be, from freeze()
  bool saves_memory = false;        // the machines' memory is saved meanwhile, which keeps them from running
};

// A guard that is ready. Destroying it without disarm() counts as the death of this process: members are resumed; so
// it does, where freeze() was called, without thawed(): members are thawed.
class ArmedGuard {
 public:
  virtual ~ArmedGuard() = default;
  // The file systems are being frozen from now on. Before it, and before raise(), the guard touches no machine.
  [[nodiscard]] virtual Result<void> freeze() = 0;
  // The fence goes up now: from here the deadline runs. kTimeout if the guard had to act already.
  [[nodiscard]] virtual Result<void> raise() = 0;
  // The fence is down, all members run. True if the guard had to act meanwhile: then the instant is void.
  [[nodiscard]] virtual Result<bool> disarm() = 0;
  // All file systems are thawed, as far as this process has ordered them frozen.
  [[nodiscard]] virtual Result<void> thawed() = 0;
};

class Guard {
 public:
  virtual ~Guard() = default;
  // Starts the watcher for these machines and waits until it is ready (its own connection stands). When a deadline
  // passes, or this process is gone, it resumes those of them that stand still by order of a user, and keeps doing so
  // until told otherwise or until all have run for two seconds. The saving of their memory is broken off for it. It
  // thaws in the same way, and tries for ten minutes where an agent does not answer.
  [[nodiscard]] virtual Result<std::unique_ptr<ArmedGuard>> arm(const GuardedFence& fence) = 0;
};

}  // namespace cohort::service
