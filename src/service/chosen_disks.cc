#include "service/chosen_disks.h"

#include <algorithm>

namespace cohort::service {
namespace {

bool is_chosen(const MemberSnapshot& member, const DiskSnapshot& disk, const ChosenDisk& chosen) {
  const bool is_member = member.name == chosen.machine || member.machine.str() == chosen.machine;
  const bool is_named_by_id = !disk.id.is_nil() && disk.id.str() == chosen.target;
  return is_member && (disk.target == chosen.target || is_named_by_id);
}

Result<void> check_there(const Snapshot& snapshot, const ChosenDisk& chosen) {
  const bool is_there = std::ranges::any_of(snapshot.members, [&](const MemberSnapshot& member) {
    return std::ranges::any_of(member.disks, [&](const DiskSnapshot& disk) { return is_chosen(member, disk, chosen); });
  });
  if (is_there) return {};
  return fail(ErrorCode::kNotFound, "The {} \"{}\" has no disk {} of a machine \"{}\".", noun_of(snapshot.kind),
              snapshot.name, chosen.target, chosen.machine);
}

void leave_out_others(MemberSnapshot& member, const std::vector<ChosenDisk>& chosen) {
  std::vector<DiskSnapshot> kept;
  for (auto& disk : member.disks) {
    if (std::ranges::any_of(chosen, [&](const ChosenDisk& each) { return is_chosen(member, disk, each); })) {
      kept.push_back(std::move(disk));
    } else {
      member.left_out.push_back({disk.target, LeftOutReason::kNotChosen, disk.frozen.path.string()});
    }
  }
  member.disks = std::move(kept);
}

}  // namespace

Result<Snapshot> with_disks(Snapshot snapshot, const std::vector<ChosenDisk>& chosen) {
  if (chosen.empty()) return snapshot;
  for (const auto& each : chosen) COHORT_TRY(check_there(snapshot, each));
  for (auto& member : snapshot.members) leave_out_others(member, chosen);
  return snapshot;
}

}  // namespace cohort::service
