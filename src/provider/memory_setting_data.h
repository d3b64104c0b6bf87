// The memory of a machine: Msvm_MemorySettingData.
#pragma once

#include <vector>

#include "provider/machine_configurations.h"

namespace cohort::provider {

[[nodiscard]] std::vector<cim::Instance> memory_settings(const MachineConfiguration& configuration);

}  // namespace cohort::provider
