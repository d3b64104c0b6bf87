#include "provider/snapshot_of_virtual_system.h"

#include <ranges>
#include <set>

#include "provider/paths.h"
#include "provider/snapshot_collection.h"

namespace cohort::provider {

std::string_view SnapshotOfVirtualSystemProvider::class_name() const {
  return which_ == Which::kAll ? "Msvm_SnapshotOfVirtualSystem" : "Msvm_MostCurrentSnapshotInBranch";
}

Result<std::vector<cim::Instance>> SnapshotOfVirtualSystemProvider::instances() {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(store_));
  std::set<MachineId> wanted;
  for (const auto& condition : conditions) wanted.insert(condition.id);
  std::vector<cim::Instance> pairs;
  for (const auto& snapshot : std::views::reverse(snapshots)) {  // the newest first
    for (const auto& member : snapshot.members) {
      if (!wanted.contains(member.machine)) continue;
      pairs.push_back(pair_of(class_name(), "Antecedent", path_of_machine(member.machine), "Dependent",
                              path_of_snapshot_settings(snapshot.id, member.machine)));
      if (which_ == Which::kNewest) wanted.erase(member.machine);
    }
  }
  return pairs;
}

}  // namespace cohort::provider
