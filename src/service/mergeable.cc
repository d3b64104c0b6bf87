#include "service/mergeable.h"

#include <algorithm>

namespace cohort::service {
namespace {

// Nobody goes on from the snapshot: what it has frozen is removed.
Result<void> check_unused(const MachineId& id, const DiskSnapshot& disk, Hypervisor& hypervisor) {
  COHORT_ASSIGN(const auto machine, hypervisor.inspect(id));
  for (const auto& each : machine.disks) {
    if (std::ranges::find(each.chain, disk.frozen.path, &Layer::path) == each.chain.end()) continue;
    return fail(ErrorCode::kInvalidState,
                "The disk {} of \"{}\" stands on \"{}\", although it had gone back to another snapshot: somebody has "
                "changed it, and it is not touched.",
                each.target, machine.summary.name, disk.frozen.path.string());
  }
  return {};
}

}  // namespace

Result<bool> is_missing(const MachineId& id, Hypervisor& hypervisor) {
  const auto machine = hypervisor.machine(id);
  if (machine) return false;
  if (machine.error().code == ErrorCode::kNotFound) return true;
  return Failure{machine.error()};
}

Failure missing_machine(const std::string& machine, const Snapshot& snapshot) {
  return fail(ErrorCode::kNotFound,
              "The machine \"{}\" of the {} \"{}\" does not exist any more, so its overlays cannot be merged: "
              "define it again, or leave its files as they are with --forget-missing.",
              machine, noun_of(snapshot.kind), snapshot.name);
}

bool is_detached(const MachineId& id, const DiskSnapshot& disk, Hypervisor& hypervisor) {
  const auto is_file_of_it = [&](const Layer& layer) {
    return layer.path == disk.overlay || layer.path == disk.frozen.path;
  };
  const auto may_be_it = [&](const MachineDisk& each) {
    return each.target == disk.target || std::ranges::any_of(each.chain, is_file_of_it);
  };
  const auto machine = hypervisor.inspect(id);
  // An obstacle may be that a file of a disk is not where it was: then the disk is still there.
  return machine && machine->obstacles.empty() && std::ranges::none_of(machine->disks, may_be_it) &&
         std::ranges::find(machine->left_out, disk.target, &LeftOutDisk::target) == machine->left_out.end();
}

Failure detached_disk(const MemberSnapshot& member, const DiskSnapshot& disk, const Snapshot& snapshot) {
  return fail(
      ErrorCode::kInvalidState,
      "The machine \"{0}\" has the disk {1} of the {2} \"{3}\" no more, so its overlay \"{4}\" cannot be merged: "
      "attach it again, or leave its files as they are with --forget-missing.",
      member.name, disk.target, noun_of(snapshot.kind), snapshot.name, disk.overlay.string());
}

Result<void> check_mergeable(const Snapshot& snapshot, const MemberSnapshot& member, bool forget_missing,
                             Hypervisor& hypervisor) {
  for (const auto& disk : member.disks) {
    const auto mergeable = disk.overlay.empty() ? check_unused(member.machine, disk, hypervisor)
                                                : hypervisor.check_mergeable(member.machine, disk);
    if (mergeable) continue;
    COHORT_ASSIGN(const bool has_vanished, is_missing(member.machine, hypervisor));
    if (has_vanished) return {};
    if (!disk.overlay.empty() && is_detached(member.machine, disk, hypervisor)) {
      if (forget_missing) continue;
      return detached_disk(member, disk, snapshot);
    }
    return Failure{
        Error(mergeable.error()).with_context(fmt::format("checking the machines of \"{}\"", snapshot.name))};
  }
  return {};
}

}  // namespace cohort::service
