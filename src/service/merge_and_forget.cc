#include "service/merge_and_forget.h"

#include <algorithm>
#include <set>

#include "base/kill_point.h"
#include "service/lookup.h"
#include "service/merge_back.h"
#include "service/mergeable.h"
#include "service/shared_layers.h"

namespace cohort::service {
namespace {

// What has vanished since the check is refused like what was missing then.
Result<void> check_left(const Snapshot& snapshot, const std::vector<Path>& left, Hypervisor& hypervisor) {
  for (const MemberSnapshot& member : snapshot.members) {
    const auto disk = std::ranges::find(member.disks, left.front(), &DiskSnapshot::overlay);
    if (disk == member.disks.end()) continue;
    const auto missing = is_missing(member.machine, hypervisor);
    return missing && !*missing ? detached_disk(member, *disk, snapshot) : missing_machine(member.name, snapshot);
  }
  return missing_machine(left.front().string(), snapshot);
}

// What can be merged is merged. The frozen files of the rest are left to be kept, in `kept`, or as those that are
// returned.
Result<std::vector<Path>> merge(const Snapshot& snapshot, Unmergeable unmergeable, std::set<Path>& kept,
                                Hypervisor& hypervisor, StateStore& store, JobContext& job,
                                const std::stop_token& stop) {
  if (unmergeable != Unmergeable::kKept) {
    COHORT_ASSIGN(auto left, merge_back(snapshot, hypervisor, store, job, stop));
    if (unmergeable == Unmergeable::kRefused && !left.empty()) COHORT_TRY(check_left(snapshot, left, hypervisor));
    return left;
  }
  COHORT_ASSIGN(auto rest, unmergeable_of(snapshot, hypervisor));
  kept = std::move(rest.frozen);
  COHORT_ASSIGN(const auto left, merge_back(without(kept, snapshot), hypervisor, store, job, stop));
  // They have vanished since the check.
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) {
      if (std::ranges::find(left, disk.overlay) != left.end()) kept.insert(disk.frozen.path);
    }
  }
  return std::vector<Path>{};
}

Result<void> leave_rest(const Snapshot& snapshot, const std::set<Path>& kept, Hypervisor& hypervisor,
                        StateStore& store) {
  COHORT_TRY(retire_rest(snapshot, kept, store));
  return remove_belongings(snapshot, hypervisor, store);
}

}  // namespace

Result<std::vector<Path>> merge_and_forget(Snapshot snapshot, Unmergeable unmergeable, Hypervisor& hypervisor,
                                           StateStore& store, JobContext& job, const std::stop_token& stop) {
  // The step first: no crash can leave a snapshot that is being deleted by nobody.
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kDeleteSnapshot, snapshot.id.str()));
  snapshot.state = SnapshotState::kDeleting;
  if (const auto marked = store.update_snapshot(snapshot); !marked) {
    COHORT_TRY(job.will_keep(step));
    return Failure{marked.error()};
  }
  kill_point("delete.begun");
  std::set<Path> kept;
  auto left = merge(snapshot, unmergeable, kept, hypervisor, store, job, stop);
  if (!left) {
    // Not to be gone on with by itself: the user has cancelled, or has to mend something first.
    COHORT_TRY(job.will_keep(step));
    left.error().message += fmt::format(" `{}` goes on with what is not merged yet.", delete_command(snapshot));
    return left;
  }
  kill_point("delete.merged");
  COHORT_TRY(kept.empty() ? forget_snapshot(snapshot, hypervisor, store)
                          : leave_rest(snapshot, kept, hypervisor, store));
  kill_point("delete.forgotten");
  return left;
}

}  // namespace cohort::service
