#include "provider/affected_job_element.h"

#include <algorithm>

#include "domain/job.h"
#include "provider/paths.h"
#include "provider/snapshot_collection.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kOtherEffect = 1;
constexpr std::uint16_t kCreated = 5;

// The snapshot that the job is about, if it is there.
const Snapshot* snapshot_of(const Job& job, const std::vector<Snapshot>& snapshots) {
  const auto is_its = [&](const Snapshot& each) {
    return each.id.str() == job.result || (job.type != JobType::kTakeSnapshot && each.name == job.subject);
  };
  const auto found = std::ranges::find_if(snapshots, is_its);
  return found == snapshots.end() ? nullptr : &*found;
}

}  // namespace

Result<std::vector<cim::Instance>> AffectedJobElementProvider::instances() {
  COHORT_ASSIGN(const auto jobs, state_.jobs());
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> pairs;
  for (const Job& job : jobs) {
    const Snapshot* snapshot = snapshot_of(job, snapshots);
    if (snapshot == nullptr) continue;
    auto pair = pair_of(class_name(), "AffectedElement", path_of_snapshot(snapshot->id), "AffectingElement",
                        path_of_job(job.id));
    const bool is_made = job.type == JobType::kTakeSnapshot;
    pair.set("ElementEffects", cim::Value::array_of(std::vector{is_made ? kCreated : kOtherEffect}));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

Result<std::vector<cim::Instance>> OwningJobElementProvider::instances() {
  COHORT_ASSIGN(const auto jobs, state_.jobs());
  std::vector<cim::Instance> pairs;
  for (const Job& job : jobs) {
    pairs.push_back(pair_of(class_name(), "OwningElement",
                            path_of_service("Msvm_CollectionSnapshotService", host_name_), "OwnedElement",
                            path_of_job(job.id)));
  }
  return pairs;
}

}  // namespace cohort::provider
