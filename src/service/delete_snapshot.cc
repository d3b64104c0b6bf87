#include "service/delete_snapshot.h"

#include <algorithm>
#include <iterator>

#include "base/kill_point.h"
#include "service/lookup.h"
#include "service/merge_back.h"
#include "service/snapshot_tree.h"

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

// Nobody goes on from the snapshot: what it has frozen is removed.
Result<void> check_unused(const MachineId& id, const DiskSnapshot& disk, Hypervisor& hypervisor) {
  COHORT_ASSIGN(const auto machine, hypervisor.inspect(id));
  for (const auto& each : machine.disks) {
    if (std::ranges::find(each.chain, disk.frozen.path, &Layer::path) == each.chain.end()) continue;
    return fail(ErrorCode::kInvalidState,
                "The disk {} of \"{}\" stands on \"{}\", although it had gone back to another snapshot: somebody has "
                "changed it, and it is not touched.",
                each.target, machine.summary.name, disk.frozen.path.string());
  }
  return {};
}

Result<void> check_disks(const Snapshot& snapshot, const MemberSnapshot& member, Hypervisor& hypervisor) {
  for (const auto& disk : member.disks) {
    const auto mergeable = disk.overlay.empty() ? check_unused(member.machine, disk, hypervisor)
                                                : hypervisor.check_mergeable(member.machine, disk);
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
    for (const auto& disk : member.disks) overlays.push_back(disk.overlay.empty() ? disk.frozen.path : disk.overlay);
  }
  return overlays;
}

Result<Snapshot> find(const DeleteSnapshotRequest& request, StateStore& store) {
  return request.is_reference_point ? find_reference_point(store, request.snapshot)
                                    : find_snapshot(store, request.snapshot);
}

// The snapshots to be deleted, in an order in which each can be.
Result<std::vector<Snapshot>> chosen_by(const DeleteSnapshotRequest& request, StateStore& store) {
  COHORT_ASSIGN(const auto snapshot, find(request, store));
  if (!request.subtree) return std::vector<Snapshot>{snapshot};
  COHORT_ASSIGN(const auto all, store.snapshots());
  return subtree_of(snapshot, all);
}

// Those that go with it harm nobody, and are gone before.
Result<void> check_tree(const std::vector<Snapshot>& chosen, StateStore& store) {
  COHORT_ASSIGN(auto all, store.snapshots());
  for (const auto& snapshot : chosen) {
    // One that was begun was looked at then, and nothing has gone back since (see ApplySnapshot).
    const bool is_begun = snapshot.state == SnapshotState::kDeleting;
    const std::string objection = is_begun ? std::string() : objection_to_delete(snapshot, all);
    if (!objection.empty()) return fail(ErrorCode::kInvalidState, "{}", objection);
    std::erase_if(all, [&](const Snapshot& each) { return each.id == snapshot.id; });
  }
  return {};
}

// A deletion that was begun can only go on; a snapshot that is being made belongs to the job that makes it.
Result<void> check_state(const Snapshot& snapshot) {
  if (snapshot.state == SnapshotState::kDeleting || is_allowed(snapshot.state, SnapshotState::kDeleting)) return {};
  return fail(ErrorCode::kInvalidState, "The {} \"{}\" is {} and cannot be deleted now.", noun_of(snapshot.kind),
              snapshot.name, to_string(snapshot.state));
}

Result<void> check_all(const std::vector<Snapshot>& chosen, const DeleteSnapshotRequest& request,
                       Hypervisor& hypervisor, StateStore& store) {
  for (const auto& snapshot : chosen) COHORT_TRY(check_state(snapshot));
  if (!request.forget_only) COHORT_TRY(check_tree(chosen, store));
  for (const auto& snapshot : chosen) COHORT_TRY(check_members(snapshot, request, hypervisor));
  return {};
}

}  // namespace

DeleteSnapshot::DeleteSnapshot(Hypervisor& hypervisor, StateStore& store) : hypervisor_(hypervisor), store_(store) {}

Result<std::vector<PlannedMerge>> DeleteSnapshot::plan(const DeleteSnapshotRequest& request) {
  COHORT_ASSIGN(const auto chosen, chosen_by(request, store_));
  COHORT_TRY(check_all(chosen, request, hypervisor_, store_));
  std::vector<PlannedMerge> merges;
  for (const auto& snapshot : chosen) {
    for (const auto& member : snapshot.members) {
      COHORT_ASSIGN(const bool missing, is_missing(member.machine, hypervisor_));
      for (const auto& disk : member.disks) {
        merges.push_back(
            {member.name, disk.target, disk.overlay, disk.frozen.path, missing, missing || request.forget_only});
      }
    }
  }
  return merges;
}

// Without an undo step: what a crash leaves is for the user to decide, not for recovery to merge.
Result<DeletedSnapshot> DeleteSnapshot::forget(Snapshot snapshot) {
  snapshot.state = SnapshotState::kDeleting;
  COHORT_TRY(store_.update_snapshot(snapshot));
  COHORT_TRY(forget_snapshot(snapshot, hypervisor_, store_));
  return DeletedSnapshot{public_id(snapshot), snapshot.name, overlays_of(snapshot), true, snapshot.kind};
}

Result<DeletedSnapshot> DeleteSnapshot::run(const DeleteSnapshotRequest& request, JobContext& job) {
  COHORT_ASSIGN(auto chosen, chosen_by(request, store_));
  COHORT_TRY(check_all(chosen, request, hypervisor_, store_));
  std::vector<Path> left;
  for (const auto& each : chosen) {
    // What was deleted before has moved its files.
    COHORT_ASSIGN(auto snapshot, store_.snapshot(each.id));
    COHORT_ASSIGN(auto deleted,
                  request.forget_only ? forget(std::move(snapshot)) : remove(std::move(snapshot), request, job));
    std::ranges::move(deleted.left_behind, std::back_inserter(left));
  }
  const Snapshot& asked_for = chosen.back();
  job.set_result(public_id(asked_for));
  return DeletedSnapshot{public_id(asked_for), asked_for.name, std::move(left), request.forget_only, asked_for.kind};
}

Result<DeletedSnapshot> DeleteSnapshot::remove(Snapshot snapshot, const DeleteSnapshotRequest& request,
                                               JobContext& job) {
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
  COHORT_TRY(forget_snapshot(snapshot, hypervisor_, store_));
  kill_point("delete.forgotten");
  return DeletedSnapshot{public_id(snapshot), snapshot.name, *std::move(left), false, snapshot.kind};
}

}  // namespace cohort::service
