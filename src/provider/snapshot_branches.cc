#include "provider/snapshot_branches.h"

#include <algorithm>
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

std::map<MachineId, SnapshotBranches::Place> SnapshotBranches::places_from(const Snapshot& tip) const {
  std::map<MachineId, Place> places;
  for (const Snapshot* at = &tip; at != nullptr; at = find(at->parent)) {
    for (const MemberSnapshot& member : at->members) {
      Place& place = places.try_emplace(member.machine, Place{at->arrival, nullptr}).first->second;
      if (place.shown == nullptr && is_shown_snapshot(*at)) place.shown = at;
    }
  }
  return places;
}

std::map<MachineId, const Snapshot*> SnapshotBranches::current() const {
  std::map<MachineId, Place> newest;
  for (const Snapshot& tip : all_) {
    if (!tip.is_current) continue;
    for (const auto& [machine, place] : places_from(tip)) {
      Place& best = newest.try_emplace(machine, place).first->second;
      if (place.arrival > best.arrival) best = place;
    }
  }
  std::map<MachineId, const Snapshot*> found;
  for (const auto& [machine, place] : newest) {
    if (place.shown != nullptr) found.emplace(machine, place.shown);
  }
  return found;
}

std::vector<const Snapshot*> SnapshotBranches::applied() const {
  std::map<CollectionId, std::uint64_t> first_arrival;  // of those that were taken later
  std::vector<const Snapshot*> found;
  for (const Snapshot& each : std::views::reverse(all_)) {
    const auto [later, is_newest] = first_arrival.emplace(each.collection, each.arrival);
    const bool is_applied = !is_newest && later->second < each.arrival && !was_left(each);
    if (is_applied && is_shown_snapshot(each)) found.push_back(&each);
    later->second = std::min(later->second, each.arrival);
  }
  return found;
}

bool SnapshotBranches::was_left(const Snapshot& applied) const {
  const auto tip = std::ranges::find_if(
      all_, [&](const Snapshot& each) { return each.is_current && each.collection == applied.collection; });
  const Snapshot* at = tip == all_.end() ? nullptr : &*tip;
  while (at != nullptr && at != &applied && at->arrival > applied.arrival) at = find(at->parent);
  return at != &applied;
}

std::vector<const Snapshot*> SnapshotBranches::shown() const {
  std::vector<const Snapshot*> found;
  for (const Snapshot& each : all_) {
    if (is_shown_snapshot(each)) found.push_back(&each);
  }
  return found;
}

}  // namespace cohort::provider
