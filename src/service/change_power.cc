#include "service/change_power.h"

#include <algorithm>

namespace cohort::service {
namespace {

bool is_being_taken_of(const Snapshot& snapshot, const MachineId& machine) {
  return snapshot.state == SnapshotState::kCreating &&
         std::ranges::find(snapshot.members, machine, &MemberSnapshot::machine) != snapshot.members.end();
}

}  // namespace

Result<void> ChangePower::run(const MachineId& machine, PowerChange change) {
  COHORT_ASSIGN(const auto snapshots, store_.snapshots());
  const auto taken =
      std::ranges::find_if(snapshots, [&](const auto& each) { return is_being_taken_of(each, machine); });
  if (taken != snapshots.end()) {
    return fail(ErrorCode::kInUse, "The snapshot \"{}\" of the machine is being taken: order it when that has ended.",
                taken->name);
  }
  return machines_.change_power(machine, change);
}

}  // namespace cohort::service
