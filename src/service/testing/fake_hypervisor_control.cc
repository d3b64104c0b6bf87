#include <algorithm>

#include "service/testing/fake_hypervisor.h"

namespace cohort::service {
namespace {

MachineActivity activity_of(const FakeMachine& machine) {
  switch (machine.summary.power) {
    case PowerState::kRunning:
      return MachineActivity::kRunning;
    case PowerState::kPaused:
      return MachineActivity::kPaused;
    case PowerState::kOff:
      return machine.is_saved ? MachineActivity::kSaved : MachineActivity::kOff;
    case PowerState::kOther:
      break;
  }
  return MachineActivity::kFailed;
}

MachineCondition condition_of(const FakeMachine& machine) {
  MachineCondition condition;
  condition.id = machine.summary.id;
  condition.name = machine.summary.name;
  condition.activity = activity_of(machine);
  condition.words = std::string(to_string(machine.summary.power));
  condition.starts_with_host = machine.starts_with_host;
  condition.memory = machine.hardware.memory_at_start;
  condition.processors = machine.hardware.processors;
  if (is_active(condition.activity)) {
    condition.process = machine.process;
    condition.started = machine.started;
    if (condition.activity == MachineActivity::kRunning) condition.changed = machine.started;
  }
  return condition;
}

MachineHardware hardware_of(const FakeMachine& machine) {
  MachineHardware hardware = machine.hardware;
  hardware.id = machine.summary.id;
  hardware.name = machine.summary.name;
  return hardware;
}

// The power in which a machine takes an order, and the one it leads to.
struct Step {
  PowerState from = PowerState::kOff;
  PowerState to = PowerState::kRunning;
};

Step step_of(PowerChange change) {
  switch (change) {
    case PowerChange::kStart:
      return {PowerState::kOff, PowerState::kRunning};
    case PowerChange::kTurnOff:
    case PowerChange::kShutDown:
      return {PowerState::kRunning, PowerState::kOff};
    case PowerChange::kPause:
      return {PowerState::kRunning, PowerState::kPaused};
    case PowerChange::kResume:
      return {PowerState::kPaused, PowerState::kRunning};
    case PowerChange::kReboot:
    case PowerChange::kReset:
      break;
  }
  return {PowerState::kRunning, PowerState::kRunning};
}

}  // namespace

Result<std::vector<MachineCondition>> FakeHypervisor::conditions() {
  return control_.call("conditions", [&]() -> Result<std::vector<MachineCondition>> {
    const Lock lock(mutex_);
    std::vector<MachineCondition> all;
    for (const auto& [id, machine] : machines_) all.push_back(condition_of(machine));
    std::ranges::sort(all, {}, &MachineCondition::name);
    return all;
  });
}

Result<MachineCondition> FakeHypervisor::condition(const MachineId& id) {
  return control_.call("condition " + name_of(id), [&]() -> Result<MachineCondition> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find(id));
    return condition_of(*machine);
  });
}

Result<MachineHardware> FakeHypervisor::hardware(const MachineId& id) {
  return control_.call("hardware " + name_of(id), [&]() -> Result<MachineHardware> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find(id));
    return hardware_of(*machine);
  });
}

Result<MachineHardware> FakeHypervisor::hardware_in(const std::string& configuration) {
  COHORT_ASSIGN(const auto outline, outline_of(configuration));
  return control_.call("hardware_in " + outline.name, [&]() -> Result<MachineHardware> {
    const Lock lock(mutex_);
    const auto found = machines_.find(outline.id);
    MachineHardware hardware = found == machines_.end() ? MachineHardware{} : found->second.hardware;
    hardware.id = outline.id;
    hardware.name = outline.name;
    return hardware;
  });
}

Result<void> FakeHypervisor::describe(const MachineId& id, const std::string& description) {
  return control_.call("describe " + name_of(id), [&]() -> Result<void> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(id));
    if (description.size() > MachineHardware::kMaxText) return fail(ErrorCode::kInvalidArgument, "It is too long.");
    machine->hardware.description = description;
    return {};
  });
}

Result<void> FakeHypervisor::change_power(const MachineId& id, PowerChange change) {
  return control_.call("change_power " + name_of(id), [&]() -> Result<void> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(id));
    const Step step = step_of(change);
    PowerState& power = machine->summary.power;
    const bool takes_all = change == PowerChange::kTurnOff && power != PowerState::kOff;
    if (machine->is_stuck || (power != step.from && !takes_all)) {
      return fail(ErrorCode::kInvalidState, "\"{}\" is {}.", machine->summary.name, to_string(power));
    }
    if (step.from != step.to) set_running(*machine, step.to == PowerState::kRunning);
    machine->summary.power = step.to;
    if (step.to == PowerState::kOff && !machine->summary.persistent) forget(id);
    return {};
  });
}

}  // namespace cohort::service
