#include "service/imported_machine.h"

#include <algorithm>

#include "base/file_stamp.h"
#include "base/sha256.h"

namespace cohort::service {
namespace {

std::string state_of(const Path& file) {
  const auto stamp = stamp_of(file);
  if (!stamp) return fmt::format("{} is not there\n", file.string());
  return fmt::format("{} {} {} {}\n", file.string(), stamp->inode, stamp->size, stamp->modified_ns);
}

bool has_other_disks(const MadeMachine& made, const DefinedMachine& machine) {
  return std::ranges::any_of(machine.disks, [&](const std::string& disk) {
    return std::ranges::find(made.files, Path(disk)) == made.files.end();
  });
}

// Why the machine is not the import's to remove; empty if it is.
std::string reason_to_keep(const MadeMachine& made, const DefinedMachine& machine) {
  if (!machine.mark.starts_with(made.job.str())) {
    return fmt::format("it has the UUID {}, but is not the one that the job defined", made.id.str());
  }
  if (made.is_started) return {};
  if (machine.is_active) return "it runs, and it was not the import that started it";
  if (has_other_disks(made, machine)) return "it was given other disks";
  if (machine.mark != import_mark(made.job, made.files)) return "its disks were changed since the import made them";
  return {};
}

}  // namespace

std::string import_mark(const JobId& job, const std::vector<Path>& files) {
  std::string states;
  for (const auto& file : files) states += state_of(file);
  return fmt::format("{} {}", job.str(), Sha256::of(states));
}

Result<std::string> remove_machine(const MadeMachine& made, Hypervisor& hypervisor) {
  const auto machine = hypervisor.defined_machine(made.id);
  if (!machine && machine.error().code == ErrorCode::kNotFound) return std::string();
  if (!machine) return Failure{machine.error()};
  if (const std::string reason = reason_to_keep(made, *machine); !reason.empty()) {
    return fail(ErrorCode::kInvalidState, "The machine \"{}\" was not removed: {}.", machine->name, reason);
  }
  if (made.is_started) COHORT_TRY(hypervisor.stop(made.id));
  COHORT_TRY(hypervisor.undefine_machine(made.id));
  return fmt::format("The machine \"{}\" was removed.", machine->name);
}

}  // namespace cohort::service
