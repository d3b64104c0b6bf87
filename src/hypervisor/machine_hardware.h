// What a machine consists of, from libvirt's domain XML.
#pragma once

#include <string>

#include "base/result.h"
#include "domain/machine_hardware.h"

namespace cohort::hypervisor {

// The text may come from a stranger; errors as read_domain(). A drive without a target, or with that of another one, is
// passed over, as are cards with the address of another one.
[[nodiscard]] Result<MachineHardware> read_hardware(const std::string& xml);

}  // namespace cohort::hypervisor
