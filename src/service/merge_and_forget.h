// The end of a snapshot: its overlays are merged back, and it is forgotten.
#pragma once

#include <stop_token>
#include <vector>

#include "domain/snapshot.h"
#include "service/job_context.h"
#include "service/mergeable.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

// Returns the overlays that were left behind, and are forgotten. What is missing is an error, is left behind, or
// becomes layers that are shared by none. Crash: an undo step of the job is in the store before the snapshot is
// "deleting". On failure or cancel it stays so, without a step: the same command goes on with the rest, as the error
// says.
[[nodiscard]] Result<std::vector<Path>> merge_and_forget(Snapshot snapshot, Unmergeable unmergeable,
                                                         Hypervisor& hypervisor, StateStore& store, JobContext& job,
                                                         const std::stop_token& stop);

}  // namespace cohort::service
