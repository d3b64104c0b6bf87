// The part of the fake in which guests' agents are asked.
#include "service/testing/fake_hypervisor.h"

namespace cohort::service {

Result<FakeMachine*> FakeHypervisor::find_answering(const MachineId& id) {
  COHORT_ASSIGN(auto* machine, find(id));
  const std::string& name = machine->summary.name;
  if (!machine->has_agent_channel) return fail(ErrorCode::kUnsupported, "\"{}\" has no channel for an agent.", name);
  if (machine->summary.power != PowerState::kRunning) return fail(ErrorCode::kInvalidState, "\"{}\" is still.", name);
  if (!agents_answer) return fail(ErrorCode::kTimeout, "The agent of \"{}\" does not answer.", name);
  return machine;
}

Result<FreezeOutlook> FakeHypervisor::freeze_outlook(const MachineId& id) {
  return control_.call("freeze_outlook " + name_of(id), [&]() -> Result<FreezeOutlook> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find_answering(id));
    const bool is_frozen = machine->frozen > 0 || machine->is_frozen_by_owner;
    return FreezeOutlook{is_frozen, machine->has_freeze_hook && !is_frozen};
  });
}

Result<std::uint64_t> FakeHypervisor::freeze(const MachineId& id, Milliseconds allowed) {
  return control_.call("freeze " + name_of(id), [&]() -> Result<std::uint64_t> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find_answering(id));
    patience = allowed;
    machine->frozen = machine->file_systems;
    return machine->frozen;
  });
}

Result<ThawReport> FakeHypervisor::thaw(const MachineId& id) {
  return control_.call("thaw " + name_of(id), [&]() -> Result<ThawReport> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(id));
    if (machine->summary.power == PowerState::kOff) return ThawReport{};
    COHORT_ASSIGN(machine, find_answering(id));
    const ThawReport report{machine->frozen > 0 || machine->is_frozen_by_owner, machine->frozen, machine->complaint};
    machine->frozen = 0;
    machine->is_frozen_by_owner = false;
    return report.was_frozen ? report : ThawReport{};
  });
}

}  // namespace cohort::service
