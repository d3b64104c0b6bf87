#include "service/mergeable.h"

#include <algorithm>
#include <functional>
#include <optional>

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

enum class ObstacleKind { kMissing, kDetached, kChanged };

struct Obstacle {
  ObstacleKind kind;
  Error error;  // of the check
};

// What keeps the disk from being merged, or removed; nothing if it can be.
Result<std::optional<Obstacle>> obstacle_of(const MemberSnapshot& member, const DiskSnapshot& disk,
                                            Hypervisor& hypervisor) {
  auto checked = disk.overlay.empty() ? check_unused(member.machine, disk, hypervisor)
                                      : hypervisor.check_mergeable(member.machine, disk);
  if (checked) return std::nullopt;
  COHORT_ASSIGN(const bool missing, is_missing(member.machine, hypervisor));
  if (missing) return Obstacle{ObstacleKind::kMissing, std::move(checked).error()};
  if (!disk.overlay.empty() && is_detached(member.machine, disk, hypervisor)) {
    return Obstacle{ObstacleKind::kDetached, std::move(checked).error()};
  }
  return Obstacle{ObstacleKind::kChanged, std::move(checked).error()};
}

std::string sentence_of(const Obstacle& obstacle, const MemberSnapshot& member, const DiskSnapshot& disk) {
  switch (obstacle.kind) {
    case ObstacleKind::kMissing:
      return fmt::format("The machine \"{}\" does not exist any more.", member.name);
    case ObstacleKind::kDetached:
      return fmt::format("The machine \"{}\" has the disk {} no more.", member.name, disk.target);
    case ObstacleKind::kChanged:
      break;
  }
  if (obstacle.error.code != ErrorCode::kInvalidState) return obstacle.error.describe();
  return fmt::format("The disk {} of \"{}\" is another one, or was changed.", disk.target, member.name);
}

template <typename IsKept>
Snapshot keep_disks(Snapshot snapshot, const IsKept& is_kept) {
  for (auto& member : snapshot.members) std::erase_if(member.disks, std::not_fn(is_kept));
  std::erase_if(snapshot.members, [](const MemberSnapshot& member) { return member.disks.empty(); });
  return snapshot;
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
    COHORT_ASSIGN(auto obstacle, obstacle_of(member, disk, hypervisor));
    if (!obstacle) continue;
    switch (obstacle->kind) {
      case ObstacleKind::kMissing:
        return {};
      case ObstacleKind::kDetached:
        if (!forget_missing) return detached_disk(member, disk, snapshot);
        break;
      case ObstacleKind::kChanged:
        return Failure{
            std::move(obstacle->error).with_context(fmt::format("checking the machines of \"{}\"", snapshot.name))};
    }
  }
  return {};
}

Result<Remainder> unmergeable_of(const Snapshot& snapshot, Hypervisor& hypervisor) {
  Remainder rest;
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) {
      COHORT_ASSIGN(const auto obstacle, obstacle_of(member, disk, hypervisor));
      if (!obstacle) continue;
      rest.frozen.insert(disk.frozen.path);
      if (rest.why.empty()) rest.why = sentence_of(*obstacle, member, disk);
    }
  }
  return rest;
}

Snapshot only_with(const std::set<Path>& frozen, Snapshot snapshot) {
  return keep_disks(std::move(snapshot), [&](const DiskSnapshot& disk) { return frozen.contains(disk.frozen.path); });
}

Snapshot without(const std::set<Path>& frozen, Snapshot snapshot) {
  return keep_disks(std::move(snapshot), [&](const DiskSnapshot& disk) { return !frozen.contains(disk.frozen.path); });
}

}  // namespace cohort::service
