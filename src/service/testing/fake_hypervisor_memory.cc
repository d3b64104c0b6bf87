// The part of the fake that keeps what machines have in their memory.
#include <algorithm>

#include "service/testing/fake_hypervisor.h"

namespace cohort::service {

std::optional<std::string> FakeHypervisor::saved_memory(const Path& file) const {
  const Lock lock(mutex_);
  const auto found = memories_.find(file);
  return found == memories_.end() ? std::nullopt : std::optional(found->second);
}

// Memory is saved in no time here.
Result<void> FakeHypervisor::stop_saving(const MachineId& id) {
  return control_.call("stop_saving " + name_of(id), []() -> Result<void> { return {}; });
}

Result<std::uint64_t> FakeHypervisor::keep_memory(const Path& file) {
  return control_.call("keep_memory " + file.filename().string(), [&]() -> Result<std::uint64_t> {
    const Lock lock(mutex_);
    if (!memories_.contains(file)) return fail(ErrorCode::kNotFound, "\"{}\" is not there.", file.string());
    return memories_[file].size();
  });
}

Result<void> FakeHypervisor::remove_memory(const Path& file) {
  return control_.call("remove_memory " + file.filename().string(), [&]() -> Result<void> {
    const Lock lock(mutex_);
    memories_.erase(file);
    return {};
  });
}

// Files of the fake world, and real ones, which tests of the doctor make.
Result<void> FakeHypervisor::remove_stray_overlay(const Path& file) {
  return control_.call("remove_stray_overlay " + file.filename().string(), [&]() -> Result<void> {
    const Lock lock(mutex_);
    for (const auto& [id, machine] : machines_) {
      if (machine.summary.power == PowerState::kOff) continue;
      for (const auto& [target, active] : machine.disks) {
        const auto chain = chain_of(active);
        if (std::ranges::find(chain, file) == chain.end()) continue;
        return fail(ErrorCode::kInUse, "\"{}\" is used by \"{}\".", file.string(), machine.summary.name);
      }
    }
    files_.erase(file);
    return remove_file(file);
  });
}

Result<void> FakeHypervisor::restore(const RestoreRequest& request) {
  return control_.call("restore " + name_of(request.id), [&]() -> Result<void> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(request.id));
    if (request.memory && !memories_.contains(*request.memory)) return fail(ErrorCode::kNotFound, "No memory.");
    set_running(*machine, false);
    machine->summary.power = request.memory ? PowerState::kPaused : PowerState::kOff;
    machine->memory = request.memory ? memories_[*request.memory] : "";
    machine->definition = request.definition;
    machine->state = request.files;
    for (const auto& disk : request.disks) {
      if (!files_.contains(disk.file.path)) return fail(ErrorCode::kNotFound, "No \"{}\".", disk.file.path.string());
      machine->disks[disk.target] = disk.file.path;
    }
    return {};
  });
}

}  // namespace cohort::service
