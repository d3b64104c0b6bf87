#include "provider/collected_snapshots.h"

#include <algorithm>

#include "provider/paths.h"
#include "provider/snapshot_collection.h"

namespace cohort::provider {

Result<std::vector<cim::Instance>> CollectedSnapshotsProvider::instances() {
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> pairs;
  for (const Snapshot& snapshot : snapshots) {
    for (const MemberSnapshot& member : snapshot.members) {
      pairs.push_back(pair_of(class_name(), "Collection", path_of_snapshot(snapshot.id), "Member",
                              path_of_snapshot_settings(snapshot.id, member.machine)));
    }
  }
  return pairs;
}

Result<std::vector<cim::Instance>> SnapshotOfCollectionProvider::instances() {
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  COHORT_ASSIGN(const auto collections, state_.collections());
  std::vector<cim::Instance> pairs;
  for (const Snapshot& snapshot : snapshots) {
    const auto of = std::ranges::find(collections, snapshot.collection, &Collection::id);
    if (of == collections.end()) continue;
    pairs.push_back(pair_of(class_name(), "Antecedent", path_of_collection(of->id, of->kind), "Dependent",
                            path_of_snapshot(snapshot.id)));
  }
  return pairs;
}

}  // namespace cohort::provider
