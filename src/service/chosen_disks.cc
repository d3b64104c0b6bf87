#include "service/chosen_disks.h"

#include <algorithm>

namespace cohort::service {
namespace {

template <typename Id>
bool is_id(const std::string& text, const Id& id) {
  const auto written = Id::parse(text);
  return written && *written == id && !id.is_nil();
}

bool is_machine_of(const MemberSnapshot& member, const ChosenDisk& chosen) {
  return member.name == chosen.machine || is_id(chosen.machine, member.machine);
}

bool is_chosen(const MemberSnapshot& member, const DiskSnapshot& disk, const ChosenDisk& chosen) {
  const bool is_named = chosen.target.empty() || disk.target == chosen.target || is_id(chosen.target, disk.id);
  return is_named && is_machine_of(member, chosen);
}

Result<void> check_there(const Snapshot& snapshot, const ChosenDisk& chosen) {
  const auto has_it = [&](const MemberSnapshot& member) {
    if (chosen.target.empty()) return is_machine_of(member, chosen);
    return std::ranges::any_of(member.disks, [&](const DiskSnapshot& disk) { return is_chosen(member, disk, chosen); });
  };
  if (std::ranges::any_of(snapshot.members, has_it)) return {};
  if (chosen.target.empty()) {
    return fail(ErrorCode::kNotFound, "The {} \"{}\" has no machine \"{}\".", noun_of(snapshot.kind), snapshot.name,
                chosen.machine);
  }
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
