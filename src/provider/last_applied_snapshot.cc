#include "provider/last_applied_snapshot.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "provider/paths.h"
#include "provider/snapshot_branches.h"

namespace cohort::provider {
namespace {

// To which snapshot each collection has gone back last; nullptr if that is gone. The newest job says it; where none is
// remembered, the order of the snapshots.
std::map<CollectionId, const Snapshot*> last_applied(const std::map<CollectionId, Job>& applies,
                                                     const SnapshotBranches& branches) {
  const auto shown = branches.shown();
  std::map<CollectionId, const Snapshot*> last;
  for (const auto& [collection, job] : applies) {
    const auto found =
        std::ranges::find(shown, job.works_on.point, [](const Snapshot* each) { return each->id.str(); });
    last.emplace(collection, found == shown.end() ? nullptr : *found);
  }
  auto applied = branches.applied();
  std::ranges::sort(applied, std::greater(), &Snapshot::arrival);
  for (const Snapshot* each : applied) last.emplace(each->collection, each);
  return last;
}

}  // namespace

Result<std::map<CollectionId, Job>> last_applies(service::StateStore& state) {
  COHORT_ASSIGN(const auto jobs, state.jobs());
  std::map<CollectionId, Job> newest;
  for (const Job& job : jobs) {  // the newest first
    const bool has_applied = job.type == JobType::kApplySnapshot && job.state == JobState::kCompleted;
    if (has_applied && job.works_on.collection) newest.emplace(*job.works_on.collection, job);
  }
  return newest;
}

Result<std::vector<cim::Instance>> LastAppliedSnapshotProvider::instances() {
  COHORT_ASSIGN(const auto applies, last_applies(state_));
  COHORT_ASSIGN(auto all, state_.snapshots());
  const SnapshotBranches branches(std::move(all));
  std::vector<cim::Instance> pairs;
  const auto last = last_applied(applies, branches);
  for (const auto& [collection, snapshot] : last) {
    if (snapshot == nullptr) continue;
    for (const MemberSnapshot& member : snapshot->members) {
      pairs.push_back(pair_of(class_name(), "Antecedent", path_of_snapshot_settings(snapshot->id, member.machine),
                              "Dependent", path_of_machine(member.machine)));
    }
  }
  return pairs;
}

}  // namespace cohort::provider
