#include "provider/last_applied_snapshot.h"

#include <algorithm>
#include <set>

#include "provider/paths.h"
#include "provider/snapshot_collection.h"

namespace cohort::provider {

Result<std::vector<cim::Instance>> LastAppliedSnapshotProvider::instances() {
  COHORT_ASSIGN(const auto jobs, state_.jobs());
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> pairs;
  std::set<CollectionId> seen;
  for (const Job& job : jobs) {  // the newest first
    const bool has_applied = job.type == JobType::kApplySnapshot && job.state == JobState::kCompleted;
    if (!has_applied || !job.works_on.collection || !seen.insert(*job.works_on.collection).second) continue;
    const auto snapshot =
        std::ranges::find(snapshots, job.works_on.point, [](const Snapshot& each) { return each.id.str(); });
    if (snapshot == snapshots.end()) continue;
    for (const MemberSnapshot& member : snapshot->members) {
      pairs.push_back(pair_of(class_name(), "Antecedent", path_of_snapshot_settings(snapshot->id, member.machine),
                              "Dependent", path_of_machine(member.machine)));
    }
  }
  return pairs;
}

}  // namespace cohort::provider
