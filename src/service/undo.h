// Takes back what a job had begun.
#pragma once

#include <string>
#include <vector>

#include "service/job_context.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

struct UndoReport {
  std::vector<std::string> actions;   // sentences: what was taken back
  std::vector<std::string> failures;  // sentences: what could not be
};

// Crash: each step is forgotten only after it has been taken back, and each can be repeated.
//
// An imported machine that somebody has taken into use since (see remove_machine) stays, with its files, and is given
// up: a failure names it and them once, and its steps are forgotten. Where it cannot be told, or the machine cannot be
// removed, its files stay with it for the next time, and so do folders and networks of the job. A folder with files of
// a machine that was given up stays, too, and what else is in it.
class Undo {
 public:
  Undo(Hypervisor& hypervisor, StateStore& store);

  // All steps of the job, last first; goes on after a failure. `running` is the job this happens in: its cancel is not
  // heard, since a guest is never left half way.
  [[nodiscard]] UndoReport run(const JobId& job, JobContext& running);

 private:
  class Run;

  Hypervisor& hypervisor_;
  StateStore& store_;
};

}  // namespace cohort::service
