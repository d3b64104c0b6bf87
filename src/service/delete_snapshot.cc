#include "service/delete_snapshot.h"

#include <algorithm>
#include <iterator>

#include "base/kill_point.h"
#include "service/lookup.h"
#include "service/merge_and_forget.h"
#include "service/merge_back.h"
#include "service/mergeable.h"
#include "service/snapshot_tree.h"

namespace cohort::service {
namespace {

// All of them, before anything is changed: a snapshot that cannot be deleted can still be exported.
Result<void> check_members(const Snapshot& snapshot, const DeleteSnapshotRequest& request, Hypervisor& hypervisor) {
  if (request.unmergeable == Unmergeable::kKept) return {};
  const bool forgets = request.unmergeable == Unmergeable::kForgotten;
  for (const auto& member : snapshot.members) {
    COHORT_ASSIGN(const bool missing, is_missing(member.machine, hypervisor));
    if (!missing) COHORT_TRY(check_mergeable(snapshot, member, forgets, hypervisor));
    if (missing && !forgets && !member.disks.empty()) {
      return missing_machine(member.name, snapshot);
    }
  }
  return {};
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

// A merge that was begun can only go on: it was looked at then, and nothing has gone back since (see ApplySnapshot).
bool is_left_to_branches(const Snapshot& snapshot, const std::vector<Snapshot>& all) {
  return snapshot.state == SnapshotState::kReady && !branches_on_files_of(snapshot, all).empty();
}

// A snapshot that is being made belongs to the job that makes it, and to recovery if that has died; who wants neither
// any more can only forget it.
Result<void> check_state(const Snapshot& snapshot, const DeleteSnapshotRequest& request) {
  if (snapshot.state != SnapshotState::kCreating || request.forget_only) return {};
  return fail(ErrorCode::kInvalidState,
              "The {} \"{}\" is being made and cannot be deleted: cancel its job (`cohort job list`). If that job has "
              "died, the next command that changes something takes the {} back.",
              noun_of(snapshot.kind), snapshot.name, noun_of(snapshot.kind));
}

// What becomes of the files when one after the other is deleted.
class Foresight {
 public:
  Foresight(const DeleteSnapshotRequest& request, Hypervisor& hypervisor, std::vector<Snapshot> all)
      : request_(request), hypervisor_(hypervisor), now_(all), all_(std::move(all)) {}

  Result<void> remove(const SnapshotId& id) {
    const auto found = std::ranges::find(all_, id, &Snapshot::id);
    const Snapshot snapshot = *found;  // as the deletions before have left it
    if (request_.forget_only) return tell(snapshot, true, false);
    if (is_left_to_branches(snapshot, all_)) {
      found->state = SnapshotState::kShared;
      return tell(snapshot, true, true);
    }
    COHORT_TRY(check_members(as_it_is(id), request_, hypervisor_));
    COHORT_TRY(tell(snapshot, false, false));
    all_ = after_merge_of(snapshot, std::move(all_));
    return merge_freed();
  }

  std::vector<PlannedMerge> merges() && { return std::move(merges_); }

 private:
  [[nodiscard]] const Snapshot& as_it_is(const SnapshotId& id) const {
    return *std::ranges::find(now_, id, &Snapshot::id);
  }

  Result<void> merge_freed() {
    std::set<SnapshotId> passed_over;
    while (const auto layers = shared_by_none(all_, passed_over)) {
      passed_over.insert(layers->id);
      COHORT_ASSIGN(const auto rest, unmergeable_of(as_it_is(layers->id), hypervisor_));
      const Snapshot merged = without(rest.frozen, *layers);
      COHORT_TRY(tell(merged, false, false));
      all_ = after_merge_of(merged, std::move(all_));
      if (!rest.frozen.empty()) all_.push_back(only_with(rest.frozen, *layers));
    }
    return {};
  }

  Result<void> tell(const Snapshot& snapshot, bool stays, bool is_shared) {
    for (const auto& member : snapshot.members) {
      COHORT_ASSIGN(const bool missing, is_missing(member.machine, hypervisor_));
      for (const auto& disk : member.disks) {
        const bool is_left = missing || stays || is_left_detached(member.machine, disk);
        merges_.push_back({member.name, disk.target, disk.overlay, disk.frozen.path, missing, is_left, is_shared});
      }
    }
    return {};
  }

  // Without the option nothing is: the check has refused it.
  [[nodiscard]] bool is_left_detached(const MachineId& machine, const DiskSnapshot& disk) const {
    return request_.unmergeable == Unmergeable::kForgotten && !disk.overlay.empty() &&
           is_detached(machine, disk, hypervisor_);
  }

  const DeleteSnapshotRequest& request_;
  Hypervisor& hypervisor_;
  const std::vector<Snapshot> now_;  // what the machines stand on
  std::vector<Snapshot> all_;        // as the deletions that were looked at leave them
  std::vector<PlannedMerge> merges_;
};

Result<std::vector<PlannedMerge>> foresee(const std::vector<Snapshot>& chosen, const DeleteSnapshotRequest& request,
                                          Hypervisor& hypervisor, StateStore& store) {
  for (const auto& snapshot : chosen) COHORT_TRY(check_state(snapshot, request));
  COHORT_ASSIGN(auto all, store.snapshots());
  Foresight foresight(request, hypervisor, std::move(all));
  for (const auto& snapshot : chosen) COHORT_TRY(foresight.remove(snapshot.id));
  return std::move(foresight).merges();
}

}  // namespace

DeleteSnapshot::DeleteSnapshot(Hypervisor& hypervisor, StateStore& store) : hypervisor_(hypervisor), store_(store) {}

Result<std::vector<PlannedMerge>> DeleteSnapshot::plan(const DeleteSnapshotRequest& request) {
  COHORT_ASSIGN(const auto chosen, chosen_by(request, store_));
  return foresee(chosen, request, hypervisor_, store_);
}

Result<DeletedSnapshot> DeleteSnapshot::run(const DeleteSnapshotRequest& request, JobContext& job) {
  COHORT_ASSIGN(auto chosen, chosen_by(request, store_));
  job.works_on(WorksOn::of(chosen.back()));
  COHORT_TRY(foresee(chosen, request, hypervisor_, store_));
  const Snapshot& asked_for = chosen.back();
  DeletedSnapshot deleted{public_id(asked_for), asked_for.name, {}, request.forget_only, asked_for.kind, {}, {}};
  for (const auto& each : chosen) {
    // What was deleted before has moved its files.
    COHORT_ASSIGN(auto snapshot, store_.snapshot(each.id));
    COHORT_TRY(request.forget_only ? forget(std::move(snapshot), deleted)
                                   : remove(std::move(snapshot), request, deleted, job));
  }
  job.set_result(deleted.id);
  return deleted;
}

// Without an undo step: what a crash leaves is for the user to decide, not for recovery to merge.
Result<void> DeleteSnapshot::forget(Snapshot snapshot, DeletedSnapshot& deleted) {
  snapshot.state = SnapshotState::kDeleting;
  COHORT_TRY(store_.update_snapshot(snapshot));
  COHORT_TRY(forget_snapshot(snapshot, hypervisor_, store_));
  std::ranges::move(overlays_of(snapshot), std::back_inserter(deleted.left_behind));
  return {};
}

Result<void> DeleteSnapshot::remove(Snapshot snapshot, const DeleteSnapshotRequest& request, DeletedSnapshot& deleted,
                                    JobContext& job) {
  COHORT_TRY(thaw_members(snapshot, hypervisor_));
  COHORT_TRY(job.check_cancelled());
  COHORT_ASSIGN(const auto all, store_.snapshots());
  if (is_left_to_branches(snapshot, all)) return leave(snapshot, deleted, job);
  COHORT_ASSIGN(auto left,
                merge_and_forget(std::move(snapshot), request.unmergeable, hypervisor_, store_, job, job.stop()));
  std::ranges::move(left, std::back_inserter(deleted.left_behind));
  return merge_freed(deleted, job);
}

Result<void> DeleteSnapshot::leave(const Snapshot& snapshot, DeletedSnapshot& deleted, JobContext& job) {
  COHORT_ASSIGN(const auto all, store_.snapshots());
  deleted.shared.push_back(shared_layers_of(snapshot, all));
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kDeleteSnapshot, snapshot.id.str()));
  const auto shared = retire(snapshot, store_);
  if (!shared) {
    COHORT_TRY(job.will_keep(step));
    return Failure{shared.error()};
  }
  return remove_belongings(*shared, hypervisor_, store_);
}

Result<void> DeleteSnapshot::merge_freed(DeletedSnapshot& deleted, JobContext& job) {
  auto merged = merge_freed_layers(hypervisor_, store_, job, job.stop());
  if (!merged) {
    return Failure{std::move(merged).error().with_context(
        fmt::format("merging what was shared until \"{}\" was deleted", deleted.name))};
  }
  FreedLayers& freed = *merged;
  std::ranges::move(freed.merged, std::back_inserter(deleted.merged_layers));
  std::ranges::move(freed.left, std::back_inserter(deleted.shared));
  return {};
}

}  // namespace cohort::service
