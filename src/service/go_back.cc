#include "service/go_back.h"

#include <algorithm>

#include "base/kill_point.h"
#include "base/parallel.h"

namespace cohort::service {
namespace {

constexpr std::uint64_t kLargestFile = 16ULL << 20U;  // of NVRAM or a TPM's state

Result<std::vector<MachineStateFiles::File>> read_tree(const Path& folder) {
  std::vector<MachineStateFiles::File> files;
  std::error_code code;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, code)) {
    if (!entry.is_regular_file()) continue;
    COHORT_ASSIGN(auto content, read_file(entry.path(), kLargestFile));
    files.push_back({entry.path().lexically_relative(folder).string(), std::move(content)});
  }
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be read.", folder.string()))};
  return files;
}

Result<MachineStateFiles> kept_files(const MemberSnapshot& member, const Path& folder) {
  MachineStateFiles files;
  if (member.has_nvram) {
    COHORT_ASSIGN(files.nvram, read_file(folder / "nvram", kLargestFile));
  }
  if (member.has_tpm) {
    COHORT_ASSIGN(files.tpm, read_tree(folder / "tpm"));
  }
  return files;
}

const MachineDisk* disk_of(const MachineDetails& machine, const std::string& target) {
  const auto found = std::ranges::find(machine.disks, target, &MachineDisk::target);
  return found == machine.disks.end() ? nullptr : &*found;
}

// It was not touched, or is back already.
bool is_on_overlays(const MemberSnapshot& member, const MachineDetails& machine) {
  return std::ranges::all_of(member.disks, [&](const DiskSnapshot& disk) {
    const MachineDisk* found = disk_of(machine, disk.target);
    return found != nullptr && found->chain.front().path == disk.overlay;
  });
}

// What is written since the rescue does not fit its memory: the overlays are made anew.
Result<void> renew_overlays(const MemberSnapshot& member, Hypervisor& hypervisor) {
  if (!member.memory) return {};
  COHORT_TRY(hypervisor.stop(member.machine));
  for (const auto& disk : member.disks) {
    COHORT_TRY(hypervisor.remove_stray_overlay(disk.overlay));
    kill_point("put_back.overlay_removed");
    COHORT_TRY(hypervisor.create_overlay(disk));
  }
  return {};
}

Result<void> put_back(const MemberSnapshot& member, const SnapshotId& rescue, Hypervisor& hypervisor,
                      StateStore& store) {
  const auto machine = hypervisor.inspect(member.machine);
  if (!machine && machine.error().code == ErrorCode::kNotFound) return Failure{machine.error()};
  const bool runs = machine && machine->summary.power == PowerState::kRunning;
  if (runs && is_on_overlays(member, *machine)) return {};  // its owner has let it
  COHORT_TRY(renew_overlays(member, hypervisor));
  return go_back(member, rescue, hypervisor, store);
}

Result<void> all_back(const Snapshot& rescue, Hypervisor& hypervisor, StateStore& store) {
  const auto& members = rescue.members;
  const auto done = run_in_parallel(members.size(),
                                    [&](std::size_t i) { return put_back(members[i], rescue.id, hypervisor, store); });
  kill_point("put_back.members");
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (!done[i])
      return Failure{Error(done[i].error()).with_context(fmt::format("putting \"{}\" back", members[i].name))};
  }
  return {};
}

}  // namespace

Result<void> go_back(const MemberSnapshot& member, const SnapshotId& snapshot, Hypervisor& hypervisor,
                     StateStore& store) {
  RestoreRequest request{member.machine, member.definition, {}, {}, {}};
  for (const auto& disk : member.disks) request.disks.push_back({disk.target, {disk.overlay, "qcow2"}});
  COHORT_ASSIGN(request.files, kept_files(member, store.machine_state_folder(snapshot, member.machine)));
  if (member.memory) request.memory = member.memory->file;
  auto restored = hypervisor.restore(request);
  if (restored) return {};
  return Failure{std::move(restored).error().with_context(fmt::format("taking \"{}\" back", member.name))};
}

Result<void> put_back(const SnapshotId& id, Hypervisor& hypervisor, StateStore& store) {
  COHORT_ASSIGN(const Snapshot rescue, store.snapshot(id));
  return all_back(rescue, hypervisor, store);
}

Result<void> let_run(const Snapshot& snapshot, Hypervisor& hypervisor) {
  std::vector<const MemberSnapshot*> ran;
  for (const auto& member : snapshot.members) {
    if (member.power == PowerState::kRunning && member.memory) ran.push_back(&member);
  }
  const auto resumed = run_in_parallel(ran.size(), [&](std::size_t i) { return hypervisor.resume(ran[i]->machine); });
  for (std::size_t i = 0; i < ran.size(); ++i) {
    // Who is gone, or stands still for a reason of its own, does not wait for us.
    const bool is_ours = !resumed[i] && resumed[i].error().code != ErrorCode::kNotFound &&
                         resumed[i].error().code != ErrorCode::kInvalidState;
    if (is_ours)
      return Failure{Error(resumed[i].error()).with_context(fmt::format("letting \"{}\" run", ran[i]->name))};
  }
  return {};
}

}  // namespace cohort::service
