// How a machine is now, in more detail than a snapshot needs: for who looks at it from afar.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "domain/ids.h"

namespace cohort {

enum class MachineActivity {
  kUnknown,
  kOff,
  kSaved,  // off, and its memory is in a file
  kStarting,
  kRunning,
  kPaused,            // by order of a user, or of Cohort while a snapshot is taken
  kHeld,              // for a while: it is migrated, or its memory is saved
  kFailed,            // stands still after an I/O error, a crash, or by its watchdog
  kSuspendedByGuest,  // sleeps
  kShuttingDown,
};

// True if there is a process behind the machine.
[[nodiscard]] constexpr bool is_active(MachineActivity activity) {
  return activity != MachineActivity::kUnknown && activity != MachineActivity::kOff &&
         activity != MachineActivity::kSaved;
}

struct MachineCondition {
  MachineId id;
  std::string name;
  MachineActivity activity = MachineActivity::kUnknown;
  std::string words;  // of the activity, for people: "paused after an I/O error"
  bool starts_with_host = false;
  std::uint64_t memory = 0;  // bytes that its guest has now; of a machine that is off, will have
  std::uint32_t processors = 0;
  // Of machines that are active, where they can be told.
  std::optional<pid_t> process;
  std::optional<WallTime> started;
  // When it came to be as it is; nothing where nobody has seen it.
  std::optional<WallTime> changed;
};

// What an administrator can order.
enum class PowerChange {
  kStart,     // one that is off, or saved
  kTurnOff,   // as if its power failed
  kShutDown,  // asks the guest
  kReboot,    // asks the guest
  kReset,     // as if the reset button was pressed
  kPause,
  kResume,
};

}  // namespace cohort
