// The process of this host that runs a machine.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file.h"

namespace cohort::hypervisor {

struct MachineProcess {
  pid_t id = 0;
  WallTime started;
};

// As "<folder>/<machine>.pid" says; nothing if there is no such file or no such process.
[[nodiscard]] std::optional<MachineProcess> find_process(const Path& folder, const std::string& machine);

}  // namespace cohort::hypervisor
