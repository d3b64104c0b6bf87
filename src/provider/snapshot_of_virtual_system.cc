#include "provider/snapshot_of_virtual_system.h"

#include <set>
#include <utility>

#include "provider/paths.h"
#include "provider/snapshot_branches.h"

namespace cohort::provider {

std::string_view SnapshotOfVirtualSystemProvider::class_name() const {
  return which_ == Which::kAll ? "Msvm_SnapshotOfVirtualSystem" : "Msvm_MostCurrentSnapshotInBranch";
}

Result<std::vector<cim::Instance>> SnapshotOfVirtualSystemProvider::instances() {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  COHORT_ASSIGN(auto all, store_.snapshots());
  const SnapshotBranches branches(std::move(all));
  std::set<MachineId> there;
  for (const auto& condition : conditions) there.insert(condition.id);
  std::vector<cim::Instance> pairs;
  const auto add = [&](const MachineId& machine, const Snapshot& snapshot) {
    if (!there.contains(machine)) return;
    pairs.push_back(pair_of(class_name(), "Antecedent", path_of_machine(machine), "Dependent",
                            path_of_snapshot_settings(snapshot.id, machine)));
  };
  if (which_ == Which::kCurrent) {
    for (const auto& [machine, snapshot] : branches.current()) add(machine, *snapshot);
    return pairs;
  }
  for (const Snapshot* snapshot : branches.shown()) {
    for (const auto& member : snapshot->members) add(member.machine, *snapshot);
  }
  return pairs;
}

}  // namespace cohort::provider
