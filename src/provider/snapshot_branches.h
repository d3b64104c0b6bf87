// The branches of snapshots as clients see them: of what they do not see (reference points, what is shared or being
// deleted) the nearest snapshot below takes the place.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "domain/snapshot.h"

namespace cohort::provider {

[[nodiscard]] bool has_machine(const Snapshot& snapshot, const MachineId& machine);

class SnapshotBranches {
 public:
  // All that the store has, the oldest first.
  explicit SnapshotBranches(std::vector<Snapshot> all);
  // They point at each other.
  SnapshotBranches(const SnapshotBranches&) = delete;
  SnapshotBranches& operator=(const SnapshotBranches&) = delete;

  // The nearest one that has the machine, on the way from the snapshot's parent down; nullptr if there is none.
  [[nodiscard]] const Snapshot* parent_of(const Snapshot& snapshot, const MachineId& machine) const;
  // The one that each machine goes on from: the nearest from the current one of its collection down. A machine of
  // several collections goes on from what was taken or applied last.
  [[nodiscard]] std::map<MachineId, const Snapshot*> current() const;
  // Those that a collection goes on from since it has gone back to them, as far as their order tells: a later one had
  // been taken before.
  [[nodiscard]] std::vector<const Snapshot*> applied() const;
  // Those that clients see, the oldest first.
  [[nodiscard]] std::vector<const Snapshot*> shown() const;

 private:
  struct Place {
    std::uint64_t arrival = 0;        // at the first snapshot from the tip down that has the machine
    const Snapshot* shown = nullptr;  // the first of those that clients see
  };
  [[nodiscard]] std::map<MachineId, Place> places_from(const Snapshot& tip) const;
  // Whether the collection has since gone back to another one.
  [[nodiscard]] bool was_left(const Snapshot& applied) const;
  [[nodiscard]] const Snapshot* find(const std::optional<SnapshotId>& id) const;

  std::vector<Snapshot> all_;
  std::map<SnapshotId, const Snapshot*> by_id_;
};

}  // namespace cohort::provider
