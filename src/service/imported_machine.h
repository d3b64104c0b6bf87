// A machine that an import or a try has defined, until the job is complete: whose it is, and whether it can be taken
// back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "domain/ids.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

// What the job has made for one machine.
struct MadeMachine {
  JobId job;
  MachineId id;
  std::vector<Path> files;  // those that are removed with it, in the order recorded; some may not be there
  bool is_started = false;  // by the job itself, or it was about to
};

// For DefineMachineRequest: the job, and the state of the files (names and stamps: base/file_stamp.h). Whoever
// lets the machine run changes them.
[[nodiscard]] std::string import_mark(const JobId& job, const std::vector<Path>& files);

// Removes the definition, which says so: "The machine "web" was removed."; empty if there is no such machine. One that
// the job has started is stopped first.
//
// kInvalidState, naming the machine and the reason, and it stays as it is, if somebody has taken it into use: it is not
// what this import defined, it runs although the import did not start it, it has other disks, or they were written to.
// Its files must stay then, too. Any other error: nobody knows, it can be tried again.
[[nodiscard]] Result<std::string> remove_machine(const MadeMachine& made, Hypervisor& hypervisor);

}  // namespace cohort::service
