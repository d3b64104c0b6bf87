// After a crash: completes or undoes what earlier processes left open.
#pragma once

#include <string>
#include <vector>

#include "service/job_engine.h"

namespace cohort::service {

// Run with the exclusive lock, before new work: no job in the store can be alive then. Nothing open: nothing is done
// and no job is recorded. Otherwise it is a job itself, and can be killed and run again.
// What cannot be taken back is reported and stays for the next time; it does not prevent other work.
[[nodiscard]] Result<UndoReport> recover(StateStore& store, Undo& undo, JobEngine& engine, const Clock& clock);

// Jobs that have not ended, and ended ones of which something could not be taken back. Oldest last.
[[nodiscard]] Result<std::vector<Job>> open_jobs(StateStore& store);

}  // namespace cohort::service
