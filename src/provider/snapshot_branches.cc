#include "provider/snapshot_branches.h"

#include <algorithm>
#include <functional>
#include <ranges>
#include <utility>

#include "provider/snapshot_collection.h"

namespace cohort::provider {

bool has_machine(const Snapshot& snapshot, const MachineId& machine) {
  return std::ranges::find(snapshot.members, machine, &MemberSnapshot::machine) != snapshot.members.end();
}

SnapshotBranches::SnapshotBranches(std::vector<Snapshot> all) : all_(std::move(all)) {
  for (const Snapshot& each : all_) by_id_.emplace(each.id, &each);
}

const Snapshot* SnapshotBranches::find(const std::optional<SnapshotId>& id) const {
  const auto found = id ? by_id_.find(*id) : by_id_.end();
  return found == by_id_.end() ? nullptr : found->second;
}

const Snapshot* SnapshotBranches::parent_of(const Snapshot& snapshot, const MachineId& machine) const {
  const Snapshot* below = find(snapshot.parent);
  while (below != nullptr && !(is_shown_snapshot(*below) && has_machine(*below, machine))) below = find(below->parent);
  return below;
}

std::map<MachineId, const Snapshot*> SnapshotBranches::current() const {
  std::vector<const Snapshot*> tips;
  for (const Snapshot& each : all_) {
    if (each.is_current) tips.push_back(&each);
  }
  std::ranges::sort(tips, std::greater(), &Snapshot::arrival);
  std::map<MachineId, const Snapshot*> found;
  for (const Snapshot* at : tips) {
    for (; at != nullptr; at = find(at->parent)) {
      if (!is_shown_snapshot(*at)) continue;
      for (const MemberSnapshot& member : at->members) found.emplace(member.machine, at);
    }
  }
  return found;
}

std::vector<const Snapshot*> SnapshotBranches::applied() const {
  std::map<CollectionId, std::uint64_t> first_arrival;  // of those that were taken later
  std::vector<const Snapshot*> found;
  for (const Snapshot& each : std::views::reverse(all_)) {
    const auto [later, is_newest] = first_arrival.emplace(each.collection, each.arrival);
    if (!is_newest && later->second < each.arrival && is_shown_snapshot(each)) found.push_back(&each);
    later->second = std::min(later->second, each.arrival);
  }
  return found;
}

std::vector<const Snapshot*> SnapshotBranches::shown() const {
  std::vector<const Snapshot*> found;
  for (const Snapshot& each : all_) {
    if (is_shown_snapshot(each)) found.push_back(&each);
  }
  return found;
}

}  // namespace cohort::provider
