// A machine's network cards, and what they are connected to: Msvm_SyntheticEthernetPortSettingData and
// Msvm_EthernetPortAllocationSettingData.
#pragma once

#include <vector>

#include "provider/machine_configurations.h"

namespace cohort::provider {

[[nodiscard]] std::vector<cim::Instance> synthetic_ethernet_port_settings(const MachineConfiguration& configuration);
// One for each card. There are no switches to name as HostResource: the network or bridge is LastKnownSwitchName.
[[nodiscard]] std::vector<cim::Instance> ethernet_port_allocation_settings(const MachineConfiguration& configuration);

}  // namespace cohort::provider
