#include "service/delete_snapshot.h"

#include "base/kill_point.h"
#include "service/lookup.h"
#include "service/merge_back.h"

namespace cohort::service {
namespace {

Result<bool> is_missing(const MachineId& id, Hypervisor& hypervisor) {
  const auto machine = hypervisor.machine(id);
  if (machine) return false;
  if (machine.error().code == ErrorCode::kNotFound) return true;
  return Failure{machine.error()};
}

Result<void> check_members(const Snapshot& snapshot, bool forget_missing, Hypervisor& hypervisor) {
  for (const auto& member : snapshot.members) {
    COHORT_ASSIGN(const bool missing, is_missing(member.machine, hypervisor));
    if (missing && !forget_missing && !member.disks.empty()) {
      return fail(
          ErrorCode::kNotFound,
          "The machine \"{}\" of the snapshot \"{}\" does not exist any more, so its overlays cannot be merged: "
          "define it again, or leave its files as they are with --forget-missing.",
          member.name, snapshot.name);
    }
  }
  return {};
}

// A deletion that was begun can only go on; a snapshot that is being made belongs to the job that makes it.
Result<void> check_state(const Snapshot& snapshot) {
  if (snapshot.state == SnapshotState::kDeleting || is_allowed(snapshot.state, SnapshotState::kDeleting)) return {};
  return fail(ErrorCode::kInvalidState, "The snapshot \"{}\" is {} and cannot be deleted now.", snapshot.name,
              to_string(snapshot.state));
}

}  // namespace

DeleteSnapshot::DeleteSnapshot(Hypervisor& hypervisor, StateStore& store) : hypervisor_(hypervisor), store_(store) {}

Result<std::vector<PlannedMerge>> DeleteSnapshot::plan(const DeleteSnapshotRequest& request) {
  COHORT_ASSIGN(const auto snapshot, find_snapshot(store_, request.snapshot));
  COHORT_TRY(check_state(snapshot));
  COHORT_TRY(check_members(snapshot, request.forget_missing, hypervisor_));
  std::vector<PlannedMerge> merges;
  for (const auto& member : snapshot.members) {
    COHORT_ASSIGN(const bool missing, is_missing(member.machine, hypervisor_));
    for (const auto& disk : member.disks) {
      merges.push_back({member.name, disk.target, disk.overlay, disk.frozen.path, missing});
    }
  }
  return merges;
}

Result<DeletedSnapshot> DeleteSnapshot::run(const DeleteSnapshotRequest& request, JobContext& job) {
  COHORT_ASSIGN(Snapshot snapshot, find_snapshot(store_, request.snapshot));
  COHORT_TRY(check_state(snapshot));
  COHORT_TRY(check_members(snapshot, request.forget_missing, hypervisor_));
  // The step first: no crash can leave a snapshot that is being deleted by nobody.
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kDeleteSnapshot, snapshot.id.str()));
  snapshot.state = SnapshotState::kDeleting;
  if (const auto marked = store_.update_snapshot(snapshot); !marked) {
    COHORT_TRY(job.will_keep(step));
    return Failure{marked.error()};
  }
  kill_point("delete.begun");
  auto left = merge_back(snapshot, hypervisor_, store_, job, job.stop());
  if (!left) {
    // Not to be gone on with by itself: the user has cancelled, or has to mend something first.
    COHORT_TRY(job.will_keep(step));
    left.error().message += fmt::format(
        " The snapshot \"{}\" is partly deleted; `cohort snapshot delete` goes on where it was.", snapshot.name);
    return Failure{std::move(left).error()};
  }
  kill_point("delete.merged");
  COHORT_TRY(forget_snapshot(snapshot.id, store_));
  kill_point("delete.forgotten");
  job.set_result(snapshot.id.str());
  return DeletedSnapshot{snapshot.id, snapshot.name, *std::move(left)};
}

}  // namespace cohort::service
