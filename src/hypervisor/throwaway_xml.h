// The definition of a machine that is tried and thrown away.
#pragma once

#include <string>

#include "base/result.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

// The group of descriptors under which libvirt knows a file that a disk's overlay stands on; the top layer is 0.
[[nodiscard]] std::string backing_group(const std::string& target, std::size_t layer);

// The definition of an imported machine (definition_for_import) with what its overlays stand on written out, and with
// its interfaces attached as the machine wants it: nothing of what they were attached to is left. A file for firmware
// variables is named only where the machine has such.
[[nodiscard]] Result<std::string> definition_for_try(const std::string& imported,
                                                     const service::ThrowawayMachine& machine);

}  // namespace cohort::hypervisor
