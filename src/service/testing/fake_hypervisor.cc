#include "service/testing/fake_hypervisor.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace cohort::service {
namespace {

constexpr std::uint64_t kMemoryBytes = 64ULL << 20U;

Failure no_machine(std::string_view name) { return fail(ErrorCode::kNotFound, "There is no machine \"{}\".", name); }

}  // namespace

// --- the world ---

MachineId FakeHypervisor::add_machine(FakeMachine machine) {
  const Lock lock(mutex_);
  if (machine.summary.id.is_nil()) machine.summary.id = MachineId::generate();
  for (const auto& [target, file] : machine.disks) {
    files_.try_emplace(file, FakeFile{std::nullopt, {{0, "first of " + file.string()}}});
  }
  const MachineId id = machine.summary.id;
  machines_.insert_or_assign(id, std::move(machine));
  return id;
}

void FakeHypervisor::remove_machine(const std::string& name) {
  const Lock lock(mutex_);
  machines_.erase(named(name).summary.id);
}

void FakeHypervisor::change(const std::string& name, const std::function<void(FakeMachine&)>& how) {
  const Lock lock(mutex_);
  how(named(name));
}

void FakeHypervisor::set_power(const std::string& name, PowerState power) {
  const Lock lock(mutex_);
  FakeMachine& machine = named(name);
  set_running(machine, power == PowerState::kRunning);
  machine.summary.power = power;
}

PowerState FakeHypervisor::power(const std::string& name) const {
  const Lock lock(mutex_);
  return named(name).summary.power;
}

Path FakeHypervisor::active_file(const std::string& name, const std::string& target) const {
  const Lock lock(mutex_);
  return named(name).disks.at(target);
}

void FakeHypervisor::write(const std::string& name, const std::string& target, int place, const std::string& text) {
  const Lock lock(mutex_);
  files_.at(named(name).disks.at(target)).places[place] = text;
}

std::string FakeHypervisor::content(const Path& file) const {
  const Lock lock(mutex_);
  return read(file);
}

std::string FakeHypervisor::disk_content(const std::string& name, const std::string& target) const {
  return content(active_file(name, target));
}

bool FakeHypervisor::has_file(const Path& file) const {
  const Lock lock(mutex_);
  return files_.contains(file);
}

std::string FakeHypervisor::describe() const {
  const Lock lock(mutex_);
  std::vector<std::string> lines;
  for (const auto& [id, machine] : machines_) {
    std::string line = fmt::format("{} {}", machine.summary.name, to_string(machine.summary.power));
    for (const auto& [target, file] : machine.disks) line += fmt::format(" {}={}", target, file.string());
    if (machine.frozen > 0 || machine.is_frozen_by_owner) line += " frozen";
    lines.push_back(std::move(line));
  }
  for (const auto& [path, file] : files_) {
    lines.push_back(
        fmt::format("{} over {}: {}", path.string(), file.backing.value_or("nothing").string(), read(path)));
  }
  for (const auto& [path, memory] : memories_) lines.push_back(fmt::format("{} has {}", path.string(), memory));
  std::ranges::sort(lines);
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

std::string FakeHypervisor::name_of(const MachineId& id) const {
  const Lock lock(mutex_);
  const auto found = machines_.find(id);
  return found == machines_.end() ? id.str() : found->second.summary.name;
}

Result<FakeMachine*> FakeHypervisor::find(const MachineId& id) {
  const auto found = machines_.find(id);
  if (found == machines_.end()) return no_machine(id.str());
  return &found->second;
}

FakeMachine& FakeHypervisor::named(const std::string& name) {
  return const_cast<FakeMachine&>(std::as_const(*this).named(name));
}

const FakeMachine& FakeHypervisor::named(const std::string& name) const {
  for (const auto& [id, machine] : machines_) {
    if (machine.summary.name == name) return machine;
  }
  std::fprintf(stderr, "The test asks for a machine \"%s\" that is not there.\n", name.c_str());
  std::abort();
}

std::vector<Path> FakeHypervisor::chain_of(const Path& active) const {
  std::vector<Path> chain;
  for (std::optional<Path> path = active; path; path = files_.at(*path).backing) chain.push_back(*path);
  return chain;
}

std::string FakeHypervisor::read(const Path& file) const {
  std::map<int, std::string> seen;
  for (const auto& layer : chain_of(file)) {
    const auto& places = files_.at(layer).places;
    seen.insert(places.begin(), places.end());  // those of upper layers win
  }
  std::vector<std::string> words;
  for (const auto& [place, text] : seen) words.push_back(fmt::format("{}={}", place, text));
  return fmt::format("{}", fmt::join(words, " "));
}

void FakeHypervisor::set_running(FakeMachine& machine, bool is_running) {
  const MachineId& id = machine.summary.id;
  if (machine.summary.power == PowerState::kRunning && !is_running) stopped_[id] = clock_.wall();
  if (const auto stop = stopped_.find(id); is_running && stop != stopped_.end()) {
    pauses_[id].push_back({stop->second, clock_.wall()});
    stopped_.erase(stop);
  }
  machine.summary.power = is_running ? PowerState::kRunning : PowerState::kPaused;
}

// --- looking ---

Result<HostInfo> FakeHypervisor::host() {
  return control_.call("host", [&]() -> Result<HostInfo> { return info; });
}

Result<std::vector<MachineSummary>> FakeHypervisor::machines() {
  return control_.call("machines", [&]() -> Result<std::vector<MachineSummary>> {
    const Lock lock(mutex_);
    std::vector<MachineSummary> all;
    for (const auto& [id, machine] : machines_) all.push_back(machine.summary);
    std::ranges::sort(all, {}, &MachineSummary::name);
    return all;
  });
}

Result<MachineSummary> FakeHypervisor::find_machine(std::string_view name_or_uuid) {
  return control_.call(fmt::format("find_machine {}", name_or_uuid), [&]() -> Result<MachineSummary> {
    const Lock lock(mutex_);
    for (const auto& [id, machine] : machines_) {
      if (machine.summary.name == name_or_uuid || id.str() == name_or_uuid) return machine.summary;
    }
    return no_machine(name_or_uuid);
  });
}

Result<MachineSummary> FakeHypervisor::machine(const MachineId& id) {
  return control_.call("machine " + name_of(id), [&]() -> Result<MachineSummary> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find(id));
    return machine->summary;
  });
}

Result<MachineDetails> FakeHypervisor::inspect(const MachineId& id) {
  return control_.call("inspect " + name_of(id), [&]() -> Result<MachineDetails> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find(id));
    MachineDetails details;
    details.summary = machine->summary;
    details.configuration = id.str() + " " + machine->summary.name;
    for (const auto& [target, file] : machine->disks) {
      std::vector<Layer> chain;
      for (const auto& path : chain_of(file)) chain.push_back({path, "qcow2"});
      details.disks.push_back({target, std::move(chain), 4096});
      if (const auto mistake = machine->mistaken_for.find(target); mistake != machine->mistaken_for.end()) {
        details.disks.back().mistaken_for = mistake->second;
      }
    }
    details.memory_bytes = kMemoryBytes;
    details.definition = machine->definition;
    details.left_out = machine->left_out;
    details.obstacles = machine->obstacles;
    if (machine->state.nvram) details.nvram = "/fake/nvram";
    if (!machine->state.tpm.empty()) details.tpm_state = "/fake/tpm";
    return details;
  });
}

// --- the instant ---

Result<void> FakeHypervisor::create_overlay(const DiskSnapshot& disk) {
  return control_.call("create_overlay " + disk.overlay.filename().string(), [&]() -> Result<void> {
    const Lock lock(mutex_);
    // The files of a package are real ones, and so is what stands on them.
    if (std::error_code code; std::filesystem::exists(disk.frozen.path, code)) return create_file(disk.overlay, "");
    if (!files_.contains(disk.frozen.path)) return fail(ErrorCode::kNotFound, "The frozen file is gone.");
    if (!files_.try_emplace(disk.overlay, FakeFile{disk.frozen.path, {}}).second) {
      return fail(ErrorCode::kAlreadyExists, "\"{}\" exists already.", disk.overlay.string());
    }
    return {};
  });
}

class FakeHypervisor::Watch final : public PauseWatch {
 public:
  Watch(FakeHypervisor& hypervisor, std::map<MachineId, std::size_t> seen)
      : hypervisor_(hypervisor), seen_(std::move(seen)) {}

  [[nodiscard]] std::optional<Pause> pause_of(const MachineId& machine, Milliseconds /*patience*/) override {
    if (!has_resumed(machine)) return std::nullopt;
    const Lock lock(hypervisor_.mutex_);
    return hypervisor_.pauses_.at(machine).back();
  }
  [[nodiscard]] bool has_resumed(const MachineId& machine) const override {
    const Lock lock(hypervisor_.mutex_);
    return hypervisor_.info.measures_pauses && hypervisor_.pauses_[machine].size() > seen_.at(machine);
  }

 private:
  FakeHypervisor& hypervisor_;
  std::map<MachineId, std::size_t> seen_;
};

Result<std::unique_ptr<PauseWatch>> FakeHypervisor::watch_pauses(const std::vector<MachineId>& machines) {
  return control_.call("watch_pauses", [&]() -> Result<std::unique_ptr<PauseWatch>> {
    const Lock lock(mutex_);
    std::map<MachineId, std::size_t> seen;
    for (const auto& id : machines) seen[id] = pauses_[id].size();
    return std::make_unique<Watch>(*this, std::move(seen));
  });
}

Result<void> FakeHypervisor::suspend(const MachineId& id) {
  return control_.call("suspend " + name_of(id), [&]() -> Result<void> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(id));
    if (machine->summary.power != PowerState::kRunning) {
      return fail(ErrorCode::kInvalidState, "\"{}\" does not run.", machine->summary.name);
    }
    set_running(*machine, false);
    return {};
  });
}

Result<void> FakeHypervisor::resume(const MachineId& id) {
  return control_.call("resume " + name_of(id), [&]() -> Result<void> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(id));
    if (machine->is_stuck) return fail(ErrorCode::kInvalidState, "\"{}\" has an I/O error.", machine->summary.name);
    if (machine->summary.power == PowerState::kPaused) set_running(*machine, true);
    return {};
  });
}

Result<void> FakeHypervisor::check_switchable(const FakeMachine& machine, const MemberSnapshot& member) const {
  const PowerState expected = member.power == PowerState::kOff ? PowerState::kOff : PowerState::kPaused;
  if (machine.summary.power != expected) {
    return fail(ErrorCode::kInvalidState, "\"{}\" is {}.", member.name, to_string(machine.summary.power));
  }
  for (const auto& disk : member.disks) {
    const auto active = machine.disks.find(disk.target);
    const auto overlay = files_.find(disk.overlay);
    if (active == machine.disks.end() || active->second != disk.frozen.path) {
      return fail(ErrorCode::kInvalidState, "The disk {} of \"{}\" was changed.", disk.target, member.name);
    }
    if (overlay == files_.end() || overlay->second.backing != disk.frozen.path) {
      return fail(ErrorCode::kInternal, "The overlay of {} of \"{}\" is not there.", disk.target, member.name);
    }
  }
  return {};
}

Result<MachineStateFiles> FakeHypervisor::capture(const MemberSnapshot& member) {
  return control_.call("capture " + name_of(member.machine), [&]() -> Result<MachineStateFiles> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(member.machine));
    COHORT_TRY(check_switchable(*machine, member));
    if (member.memory) memories_[member.memory->file] = machine->memory;
    for (const auto& disk : member.disks) machine->disks[disk.target] = disk.overlay;
    return machine->state;
  });
}

// --- taking an overlay back ---

Result<void> FakeHypervisor::commit(FakeMachine& machine, const DiskSnapshot& disk, const MergeWatch& watch) {
  if (disk.merged && watch.mark) COHORT_TRY(watch.mark(false));
  FakeFile& frozen = files_.at(disk.frozen.path);
  for (const auto& [place, text] : files_.at(disk.overlay).places) frozen.places[place] = text;
  if (watch.mark) COHORT_TRY(watch.mark(true));
  if (Path& active = machine.disks[disk.target]; active == disk.overlay) active = disk.frozen.path;
  for (auto& [path, file] : files_) {
    if (file.backing == disk.overlay) file.backing = disk.frozen.path;
  }
  return {};
}

Result<void> FakeHypervisor::check_needless(const FakeMachine& machine, const DiskSnapshot& disk) const {
  const auto overlay = files_.find(disk.overlay);
  if (disk.merged || overlay == files_.end() || read(disk.overlay) == read(disk.frozen.path)) return {};
  return fail(ErrorCode::kInvalidState, "The overlay \"{}\" of \"{}\" was never merged.", disk.overlay.string(),
              machine.summary.name);
}

Result<bool> FakeHypervisor::is_on_overlay(const FakeMachine& machine, const DiskSnapshot& disk) const {
  const auto active = machine.disks.find(disk.target);
  const auto chain = active == machine.disks.end() ? std::vector<Path>{} : chain_of(active->second);
  if (std::ranges::find(chain, disk.overlay) != chain.end()) {
    if (files_.at(disk.overlay).backing == disk.frozen.path) return true;
    return fail(ErrorCode::kInvalidState, "The overlay stands on another file.");
  }
  if (std::ranges::find(chain, disk.frozen.path) == chain.end()) {
    return fail(ErrorCode::kInvalidState, "Disk {} of \"{}\" is not what it was.", disk.target, machine.summary.name);
  }
  COHORT_TRY(check_needless(machine, disk));
  return false;
}

Result<void> FakeHypervisor::merge(FakeMachine& machine, const DiskSnapshot& disk, const MergeWatch& watch) {
  COHORT_ASSIGN(const bool is_used, is_on_overlay(machine, disk));
  if (is_used) COHORT_TRY(commit(machine, disk, watch));
  files_.erase(disk.overlay);
  return {};
}

Result<void> FakeHypervisor::check_mergeable(const MachineId& id, const DiskSnapshot& disk) {
  return control_.call("check_mergeable " + name_of(id) + " " + disk.target, [&]() -> Result<void> {
    const Lock lock(mutex_);
    COHORT_ASSIGN(const auto* machine, find(id));
    COHORT_TRY(is_on_overlay(*machine, disk));
    return {};
  });
}

Result<void> FakeHypervisor::merge_overlay(const MachineId& id, const DiskSnapshot& disk, std::stop_token stop,
                                           const MergeWatch& watch) {
  return control_.call("merge_overlay " + name_of(id) + " " + disk.target, [&]() -> Result<void> {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "The merge was cancelled.");
    const Lock lock(mutex_);
    COHORT_ASSIGN(auto* machine, find(id));
    if (watch.on_progress) watch.on_progress(1, 2);
    return merge(*machine, disk, watch);
  });
}

}  // namespace cohort::service
