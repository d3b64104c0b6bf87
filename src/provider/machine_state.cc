#include "provider/machine_state.h"

#include <algorithm>
#include <chrono>

namespace cohort::provider {

std::uint16_t enabled_state(MachineActivity activity) {
  switch (activity) {
    case MachineActivity::kUnknown:
      return 0;
    case MachineActivity::kRunning:
      return 2;
    case MachineActivity::kOff:
      return 3;
    case MachineActivity::kShuttingDown:
      return 4;
    case MachineActivity::kSaved:
      return 6;  // "Enabled but Offline"
    case MachineActivity::kHeld:
    case MachineActivity::kFailed:
    case MachineActivity::kPaused:
    case MachineActivity::kSuspendedByGuest:
      return 9;  // "Quiesce"
    case MachineActivity::kStarting:
      return 10;
  }
  return 0;
}

std::uint16_t health_state(MachineActivity activity) { return activity == MachineActivity::kFailed ? 20 : 5; }

std::vector<std::uint16_t> operational_status(MachineActivity activity) {
  constexpr std::uint16_t kOk = 2;
  constexpr std::uint16_t kDegraded = 3;
  return {activity == MachineActivity::kFailed ? kDegraded : kOk};
}

std::vector<std::string> status_descriptions(const MachineCondition& condition) {
  return {condition.activity == MachineActivity::kFailed ? condition.words : "Operating normally"};
}

std::vector<std::uint16_t> available_requests(MachineActivity activity) {
  switch (activity) {
    case MachineActivity::kOff:
    case MachineActivity::kSaved:
      return {2};
    case MachineActivity::kRunning:
      return {3, 4, 9, 10, 11};
    case MachineActivity::kPaused:
      return {2, 3};
    case MachineActivity::kFailed:
      return {3, 11};
    case MachineActivity::kUnknown:
      return {};
    case MachineActivity::kStarting:
    case MachineActivity::kHeld:
    case MachineActivity::kSuspendedByGuest:
    case MachineActivity::kShuttingDown:
      break;
  }
  return {3};
}

std::uint64_t on_time(const MachineCondition& condition, WallTime now) {
  if (!condition.started || now < *condition.started) return 0;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<Milliseconds>(now - *condition.started).count());
}

}  // namespace cohort::provider
