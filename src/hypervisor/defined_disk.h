// Which file a machine's next start takes for its disk.
#pragma once

#include <libvirt/libvirt.h>

#include <string>

#include "base/result.h"
#include "domain/machine.h"

namespace cohort::hypervisor {

// The definition of a persistent machine names this file as the disk; what runs stays as it is. kNotFound if it has no
// such disk.
[[nodiscard]] Result<void> define_source(virDomainPtr domain, const std::string& machine, const std::string& target,
                                         const Layer& source);

}  // namespace cohort::hypervisor
