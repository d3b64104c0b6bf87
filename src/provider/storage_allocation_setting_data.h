// The images in a machine's drives: Msvm_StorageAllocationSettingData.
#pragma once

#include <vector>

#include "provider/machine_configurations.h"

namespace cohort::provider {

// Drives without a medium have none.
[[nodiscard]] std::vector<cim::Instance> storage_allocation_settings(const MachineConfiguration& configuration);

}  // namespace cohort::provider
