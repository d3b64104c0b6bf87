#include "provider/machine_tasks.h"

#include <algorithm>

#include "provider/found.h"
#include "provider/paths.h"
#include "service/lookup.h"

namespace cohort::provider {
namespace {

Result<std::vector<MachineId>> machines_of(const WorksOn& works_on, const std::vector<Snapshot>& snapshots,
                                           service::StateStore& state) {
  std::vector<MachineId> machines;
  const auto point = std::ranges::find_if(
      snapshots, [&](const Snapshot& each) { return !works_on.point.empty() && public_id(each) == works_on.point; });
  if (point != snapshots.end()) {
    for (const MemberSnapshot& member : point->members) machines.push_back(member.machine);
    return machines;
  }
  if (!works_on.collection) return machines;
  COHORT_ASSIGN(const auto collection, if_found(state.collection(*works_on.collection)));
  if (!collection) return machines;
  for (const MachineMember& member : all_machines(*collection, service::lookup_in(state)))
    machines.push_back(member.id);
  return machines;
}

}  // namespace

Result<std::vector<MachineTask>> machine_tasks(service::StateStore& state, const Access& access) {
  COHORT_ASSIGN(const auto jobs, state.jobs());
  COHORT_ASSIGN(const auto snapshots, state.snapshots());
  std::vector<MachineTask> tasks;
  for (const Job& job : jobs) {
    if (is_ended(job.state)) continue;
    COHORT_ASSIGN(const bool is_shown, access.shows(path_of_job(job)));
    if (!is_shown) continue;
    COHORT_ASSIGN(auto machines, machines_of(job.works_on, snapshots, state));
    tasks.push_back({job, std::move(machines)});
  }
  return tasks;
}

}  // namespace cohort::provider
