// Definitions of machines, made and taken away.
#pragma once

#include <libvirt/libvirt.h>

#include <string>

#include "hypervisor/connection.h"

namespace cohort::hypervisor {

// Defines a machine that is not there yet. kAlreadyExists if the name or the UUID is taken.
[[nodiscard]] Result<void> define_new(ConnectionPool& connections, const std::string& name, const MachineId& id,
                                      const std::string& definition);

// Removes the definition; a machine that runs goes on without. Success if there is no such machine.
[[nodiscard]] Result<void> undefine(virDomainPtr domain);

}  // namespace cohort::hypervisor
