// The part of the fake in which machines are made, run and removed.
#include <algorithm>

#include "service/testing/fake_hypervisor.h"

namespace cohort::service {

// --- import ---

Result<void> FakeHypervisor::check_configuration(const std::string& configuration,
                                                 const std::set<RefusalKind>& trusted) {
  return control_.call("check_configuration", [&]() -> Result<void> {
    if (configuration.find("forbidden") == std::string::npos) return {};
    if (trusted.contains(RefusalKind::kHostDevice)) return {};
    return fail(ErrorCode::kUnsupported, "The configuration reaches for the host.");
  });
}

Result<MachineOutline> FakeHypervisor::outline_of(const std::string& configuration) {
  return control_.call("outline_of", [&]() -> Result<MachineOutline> {
    if (configuration.size() < 38) return fail(ErrorCode::kCorrupt, "This is no configuration.");
    COHORT_ASSIGN(const auto id, MachineId::parse(configuration.substr(0, 36)));
    const std::string name = configuration.substr(37);
    return MachineOutline{id, name, outlined_disks, name != without_agent_channel};
  });
}

// Definitions are not kept beside what runs: that it was called is seen in the calls.
Result<void> FakeHypervisor::define_as_it_runs(const MachineId& id, const std::string& target) {
  return control_.call(fmt::format("define_as_it_runs {} {}", name_of(id), target), [&]() -> Result<void> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find(id));
    if (machine->summary.power != PowerState::kOff) return {};
    return fail(ErrorCode::kInvalidState, "\"{}\" is off.", machine->summary.name);
  });
}

Result<void> FakeHypervisor::add_defined(const DefineMachineRequest& request, FakeMachine machine) {
  machine.summary.name = request.name;
  machine.mark = request.mark;
  for (const auto& [id, other] : machines_) {
    if (id == machine.summary.id || other.summary.name == request.name) {
      return fail(ErrorCode::kAlreadyExists, "There is a machine \"{}\" already.", other.summary.name);
    }
  }
  for (const auto& disk : request.disks) {
    machine.disks[disk.target] = disk.file.path;
    files_.try_emplace(disk.file.path);
  }
  machines_.emplace(machine.summary.id, std::move(machine));
  return {};
}

Result<MachineId> FakeHypervisor::define_machine(const DefineMachineRequest& request) {
  return control_.call("define_machine " + request.name, [&]() -> Result<MachineId> {
    const Lock lock(mutex_);
    FakeMachine machine;
    machine.summary.id = request.id ? *request.id : request.new_id.value_or(MachineId::generate());
    const MachineId id = machine.summary.id;
    COHORT_TRY(add_defined(request, std::move(machine)));
    return id;
  });
}

// --- try ---

Result<void> FakeHypervisor::start_throwaway(const ThrowawayMachine& request) {
  return control_.call("start_throwaway " + request.definition.name, [&]() -> Result<void> {
    const Lock lock(mutex_);
    FakeMachine machine;
    machine.summary.id = request.definition.new_id.value();
    machine.summary.power = PowerState::kPaused;
    machine.summary.persistent = false;
    machine.network = request.network;
    return add_defined(request.definition, std::move(machine));
  });
}

class FakeHypervisor::Ends final : public EndWatch {
 public:
  explicit Ends(FakeHypervisor& hypervisor) : hypervisor_(hypervisor) {}

  [[nodiscard]] MachineEnd end_of(const MachineId& machine, Milliseconds /*patience*/) override {
    const Lock lock(hypervisor_.mutex_);
    const auto found = hypervisor_.ends_.find(machine);
    return found == hypervisor_.ends_.end() ? MachineEnd::kStopped : found->second;
  }

 private:
  FakeHypervisor& hypervisor_;
};

Result<std::unique_ptr<EndWatch>> FakeHypervisor::watch_ends(const std::vector<MachineId>& /*machines*/) {
  return control_.call("watch_ends",
                       [&]() -> Result<std::unique_ptr<EndWatch>> { return std::make_unique<Ends>(*this); });
}

Result<bool> FakeHypervisor::agent_answers(const MachineId& id) {
  return control_.call("agent_answers " + name_of(id), [&]() -> Result<bool> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find(id));
    if (machine->has_agent_channel) return agents_answer && machine->summary.power == PowerState::kRunning;
    return fail(ErrorCode::kUnsupported, "The machine \"{}\" has no channel for an agent.", machine->summary.name);
  });
}

Result<void> FakeHypervisor::create_isolated_network(const NetworkId& id, const std::string& name) {
  return control_.call("create_isolated_network", [&]() -> Result<void> {
    const Lock lock(mutex_);
    networks.emplace(id, name);
    return {};
  });
}

Result<bool> FakeHypervisor::remove_network(const NetworkId& id) {
  return control_.call("remove_network", [&]() -> Result<bool> {
    const Lock lock(mutex_);
    return networks.erase(id) == 1;
  });
}

void FakeHypervisor::end(const std::string& name, MachineEnd how) {
  const Lock lock(mutex_);
  const MachineId id = named(name).summary.id;
  ends_[id] = how;
  forget(id);
}

// Its files are real ones.
void FakeHypervisor::forget(const MachineId& id) {
  const auto found = machines_.find(id);
  for (const auto& [target, file] : found->second.disks) files_.erase(file);
  machines_.erase(found);
}

Result<void> FakeHypervisor::write_tpm_state(const MachineId& id, const std::vector<MachineStateFiles::File>& files) {
  return control_.call("write_tpm_state", [&]() -> Result<void> {
    const Path folder = tpm_state_folder(id);
    std::error_code ignored;
    if (std::filesystem::exists(folder, ignored)) {
      return fail(ErrorCode::kAlreadyExists, "There is TPM state in \"{}\" already.", folder.string());
    }
    for (const auto& file : files) {
      COHORT_TRY(make_directories((folder / file.name).parent_path()));
      COHORT_TRY(create_file(folder / file.name, file.content));
    }
    return {};
  });
}

Result<void> FakeHypervisor::start(const MachineId& id) {
  return control_.call("start " + name_of(id), [&]() -> Result<void> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(id));
    set_running(*machine, true);
    return {};
  });
}

Result<DefinedMachine> FakeHypervisor::defined_machine(const MachineId& id) {
  return control_.call("defined_machine " + name_of(id), [&]() -> Result<DefinedMachine> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find(id));
    DefinedMachine defined{machine->summary.name, machine->summary.power != PowerState::kOff, machine->mark, {}};
    for (const auto& [target, file] : machine->disks) defined.disks.push_back(file.string());
    return defined;
  });
}

Result<void> FakeHypervisor::stop(const MachineId& id) {
  return control_.call("stop " + name_of(id), [&]() -> Result<void> {
    const Lock lock(mutex_);
    const auto found = machines_.find(id);
    if (found == machines_.end()) return {};
    found->second.summary.power = PowerState::kOff;
    if (!found->second.summary.persistent) forget(id);
    return {};
  });
}

Result<void> FakeHypervisor::undefine_machine(const MachineId& id) {
  return control_.call("undefine_machine " + name_of(id), [&]() -> Result<void> {
    const Lock lock(mutex_);
    const auto found = machines_.find(id);
    if (found == machines_.end()) return {};
    if (found->second.summary.power != PowerState::kOff) {
      return fail(ErrorCode::kInvalidState, "\"{}\" runs.", found->second.summary.name);
    }
    forget(id);
    return {};
  });
}

}  // namespace cohort::service
