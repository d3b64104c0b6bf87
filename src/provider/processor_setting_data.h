// The processors of a machine: Msvm_ProcessorSettingData.
#pragma once

#include <vector>

#include "provider/machine_configurations.h"

namespace cohort::provider {

[[nodiscard]] std::vector<cim::Instance> processor_settings(const MachineConfiguration& configuration);

}  // namespace cohort::provider
