// The jobs that are at work on machines.
#pragma once

#include <vector>

#include "domain/ids.h"
#include "domain/job.h"
#include "provider/access.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

struct MachineTask {
  Job job;
  std::vector<MachineId> machines;  // those of the snapshot that it is about, or of its collection
};

// Those that have not ended and that the caller may see, the newest first.
[[nodiscard]] Result<std::vector<MachineTask>> machine_tasks(service::StateStore& state, const Access& access);

}  // namespace cohort::provider
