// What an import and a try do alike for a machine of a package: its small files are put in place, and what is made for
// it is recorded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/job_context.h"
#include "service/opened_package.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

// Where the NVRAM of a machine goes.
[[nodiscard]] Path nvram_place(const Path& folder, const std::string& machine_name);

// One object for each machine that is made.
// Crash: each file is recorded before it is made; those of a machine lie before its definition, as Undo wants it.
class MachineParts {
 public:
  // All must outlive this object.
  MachineParts(const OpenedPackage& package, const PackagedMachine& machine, Hypervisor& hypervisor, JobContext& job)
      : package_(package), machine_(machine), hypervisor_(hypervisor), job_(job) {}

  // The file is about to be made, and goes with the machine.
  [[nodiscard]] Result<UndoStep> will_remove(const Path& file);

  // What libvirt makes for the machine because its package has none goes with it, too: firmware variables, which are to
  // be made in `folder`, and TPM state. Otherwise they would stay, and be there for the next machine of that name.
  // REQUIRES: name and UUID of the request are set.
  [[nodiscard]] Result<void> will_remove_fresh_state(DefineMachineRequest& request, const Path& folder);

  // Puts TPM state and NVRAM in place, the latter in `folder`, and fills in what the request lacks. kCorrupt if the
  // package has changed since it was verified.
  // REQUIRES: name, UUID and disks of the request are set, and will_remove() knows the disks.
  [[nodiscard]] Result<void> complete(DefineMachineRequest& request, const Path& folder);

  // The machine is about to be defined.
  [[nodiscard]] Result<UndoStep> will_undefine(const MachineId& id);

  // What a step has failed with. What was in the way is somebody else's: it must not be taken back with what this job
  // has made.
  [[nodiscard]] Failure refuse(const Error& error, const UndoStep& step);

 private:
  [[nodiscard]] Result<void> put_tpm_state(const MachineId& id);
  [[nodiscard]] Result<void> put_nvram(DefineMachineRequest& request, const Path& folder);
  [[nodiscard]] Result<void> will_remove_port_files(const DefineMachineRequest& request);

  const OpenedPackage& package_;
  const PackagedMachine& machine_;
  Hypervisor& hypervisor_;
  JobContext& job_;
  std::vector<Path> files_;  // in the order recorded
};

}  // namespace cohort::service
