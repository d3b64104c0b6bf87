// How a machine is, in Hyper-V's numbers and words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/machine_condition.h"

namespace cohort::provider {

// EnabledState: 2 runs, 3 off, 4 shuts down, 6 saved, 9 stands still, 10 starts. (Those above 32767 are of Hyper-V's
// first namespace.)
[[nodiscard]] std::uint16_t enabled_state(MachineActivity activity);
// HealthState: 5 OK, 20 major failure.
[[nodiscard]] std::uint16_t health_state(MachineActivity activity);
// OperationalStatus, and its words for people.
[[nodiscard]] std::vector<std::uint16_t> operational_status(MachineActivity activity);
[[nodiscard]] std::vector<std::string> status_descriptions(const MachineCondition& condition);
// RequestStateChange's values that the machine takes now.
[[nodiscard]] std::vector<std::uint16_t> available_requests(MachineActivity activity);
// Milliseconds that it has been running; 0 if it does not, or nobody can tell.
[[nodiscard]] std::uint64_t on_time(const MachineCondition& condition, WallTime now);

}  // namespace cohort::provider
