#include "service/delete_snapshot.h"

#include <algorithm>

#include "base/kill_point.h"
#include "service/lookup.h"
#include "service/merge_back.h"

namespace cohort::service {
namespace {

Failure missing_machine(const std::string& machine, const Snapshot& snapshot) {
  return fail(ErrorCode::kNotFound,
              "The machine \"{}\" of the {} \"{}\" does not exist any more, so its overlays cannot be merged: "
              "define it again, or leave its files as they are with --forget-missing.",
              machine, noun_of(snapshot.kind), snapshot.name);
}

Result<bool> is_missing(const MachineId& id, Hypervisor& hypervisor) {
  const auto machine = hypervisor.machine(id);
  if (machine) return false;
  if (machine.error().code == ErrorCode::kNotFound) return true;
  return Failure{machine.error()};
}

Result<void> check_disks(const Snapshot& snapshot, const MemberSnapshot& member, Hypervisor& hypervisor) {
  for (const auto& disk : member.disks) {
    const auto mergeable = hypervisor.check_mergeable(member.machine, disk);
    if (mergeable) continue;
    COHORT_ASSIGN(const bool has_vanished, is_missing(member.machine, hypervisor));
    if (has_vanished) return {};
    return Failure{
        Error(mergeable.error()).with_context(fmt::format("checking the machines of \"{}\"", snapshot.name))};
  }
  return {};
}

// All of them, before anything is changed: a snapshot that cannot be deleted can still be exported.
Result<void> check_members(const Snapshot& snapshot, const DeleteSnapshotRequest& request, Hypervisor& hypervisor) {
  if (request.forget_only) return {};
  for (const auto& member : snapshot.members) {
    COHORT_ASSIGN(const bool missing, is_missing(member.machine, hypervisor));
    if (!missing) COHORT_TRY(check_disks(snapshot, member, hypervisor));
    if (missing && !request.forget_missing && !member.disks.empty()) {
      return missing_machine(member.name, snapshot);
    }
  }
  return {};
}

// One that has vanished since the check is refused like one that was missing then.
Result<void> check_left(const Snapshot& snapshot, const DeleteSnapshotRequest& request, const std::vector<Path>& left) {
  if (request.forget_missing || left.empty()) return {};
  const auto is_of = [&](const MemberSnapshot& member) {
    return std::ranges::any_of(member.disks, [&](const DiskSnapshot& disk) { return disk.overlay == left.front(); });
  };
  const auto owner = std::ranges::find_if(snapshot.members, is_of);
  return missing_machine(owner == snapshot.members.end() ? left.front().string() : owner->name, snapshot);
}

Result<std::vector<Path>> merge(const Snapshot& snapshot, const DeleteSnapshotRequest& request, Hypervisor& hypervisor,
                                StateStore& store, JobContext& job) {
  COHORT_ASSIGN(auto left, merge_back(snapshot, hypervisor, store, job, job.stop()));
  COHORT_TRY(check_left(snapshot, request, left));
  return left;
}

std::vector<Path> overlays_of(const Snapshot& snapshot) {
  std::vector<Path> overlays;
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) overlays.push_back(disk.overlay);
  }
  return overlays;
}

// A deletion that was begun can only go on; a snapshot that is being made belongs to the job that makes it.
Result<void> check_state(const Snapshot& snapshot) {
  if (snapshot.state == SnapshotState::kDeleting || is_allowed(snapshot.state, SnapshotState::kDeleting)) return {};
  return fail(ErrorCode::kInvalidState, "The {} \"{}\" is {} and cannot be deleted now.", noun_of(snapshot.kind),
              snapshot.name, to_string(snapshot.state));
}

Result<Snapshot> find(const DeleteSnapshotRequest& request, StateStore& store) {
  return request.is_reference_point ? find_reference_point(store, request.snapshot)
                                    : find_snapshot(store, request.snapshot);
}

}  // namespace

DeleteSnapshot::DeleteSnapshot(Hypervisor& hypervisor, StateStore& store) : hypervisor_(hypervisor), store_(store) {}

Result<std::vector<PlannedMerge>> DeleteSnapshot::plan(const DeleteSnapshotRequest& request) {
  COHORT_ASSIGN(const auto snapshot, find(request, store_));
  COHORT_TRY(check_state(snapshot));
  COHORT_TRY(check_members(snapshot, request, hypervisor_));
  std::vector<PlannedMerge> merges;
  for (const auto& member : snapshot.members) {
    COHORT_ASSIGN(const bool missing, is_missing(member.machine, hypervisor_));
    for (const auto& disk : member.disks) {
      merges.push_back(
          {member.name, disk.target, disk.overlay, disk.frozen.path, missing, missing || request.forget_only});
    }
  }
  return merges;
}

// Without an undo step: what a crash leaves is for the user to decide, not for recovery to merge.
Result<DeletedSnapshot> DeleteSnapshot::forget(Snapshot snapshot, JobContext& job) {
  snapshot.state = SnapshotState::kDeleting;
  COHORT_TRY(store_.update_snapshot(snapshot));
  COHORT_TRY(forget_snapshot(snapshot.id, store_));
  job.set_result(public_id(snapshot));
  return DeletedSnapshot{public_id(snapshot), snapshot.name, overlays_of(snapshot), true, snapshot.kind};
}

Result<DeletedSnapshot> DeleteSnapshot::run(const DeleteSnapshotRequest& request, JobContext& job) {
  COHORT_ASSIGN(Snapshot snapshot, find(request, store_));
  COHORT_TRY(check_state(snapshot));
  if (request.forget_only) return forget(std::move(snapshot), job);
  COHORT_TRY(check_members(snapshot, request, hypervisor_));
  COHORT_TRY(thaw_members(snapshot, hypervisor_));
  COHORT_TRY(job.check_cancelled());
  // The step first: no crash can leave a snapshot that is being deleted by nobody.
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kDeleteSnapshot, snapshot.id.str()));
  snapshot.state = SnapshotState::kDeleting;
  if (const auto marked = store_.update_snapshot(snapshot); !marked) {
    COHORT_TRY(job.will_keep(step));
    return Failure{marked.error()};
  }
  kill_point("delete.begun");
  auto left = merge(snapshot, request, hypervisor_, store_, job);
  if (!left) {
    // Not to be gone on with by itself: the user has cancelled, or has to mend something first.
    COHORT_TRY(job.will_keep(step));
    left.error().message += fmt::format(" `{}` goes on with what is not merged yet.", delete_command(snapshot));
    return Failure{std::move(left).error()};
  }
  kill_point("delete.merged");
  COHORT_TRY(forget_snapshot(snapshot.id, store_));
  kill_point("delete.forgotten");
  job.set_result(public_id(snapshot));
  return DeletedSnapshot{public_id(snapshot), snapshot.name, *std::move(left), false, snapshot.kind};
}

}  // namespace cohort::service
