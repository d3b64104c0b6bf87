// A machine's drives, and the controllers that they hang on: Msvm_ResourceAllocationSettingData.
#pragma once

#include <vector>

#include "provider/machine_configurations.h"

namespace cohort::provider {

// Hyper-V knows IDE, SCSI and floppy controllers. Drives of all other buses (virtio, SATA, USB, …) are told as if they
// hung on a SCSI controller, which a machine without drives has, too.
[[nodiscard]] std::vector<cim::Instance> resource_allocation_settings(const MachineConfiguration& configuration);

[[nodiscard]] cim::ObjectPath path_of_drive(const MachineConfiguration& configuration, const Drive& drive);

}  // namespace cohort::provider
