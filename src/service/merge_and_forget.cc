#include "service/merge_and_forget.h"

#include <algorithm>

#include "base/kill_point.h"
#include "service/lookup.h"
#include "service/merge_back.h"
#include "service/mergeable.h"

namespace cohort::service {
namespace {

// What has vanished since the check is refused like what was missing then.
Result<void> check_left(const Snapshot& snapshot, bool forget_missing, const std::vector<Path>& left,
                        Hypervisor& hypervisor) {
  if (forget_missing || left.empty()) return {};
  for (const MemberSnapshot& member : snapshot.members) {
    const auto disk = std::ranges::find(member.disks, left.front(), &DiskSnapshot::overlay);
    if (disk == member.disks.end()) continue;
    const auto missing = is_missing(member.machine, hypervisor);
    return missing && !*missing ? detached_disk(member, *disk, snapshot) : missing_machine(member.name, snapshot);
  }
  return missing_machine(left.front().string(), snapshot);
}

}  // namespace

Result<std::vector<Path>> merge_and_forget(Snapshot snapshot, bool forget_missing, Hypervisor& hypervisor,
                                           StateStore& store, JobContext& job, const std::stop_token& stop) {
  // The step first: no crash can leave a snapshot that is being deleted by nobody.
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kDeleteSnapshot, snapshot.id.str()));
  snapshot.state = SnapshotState::kDeleting;
  if (const auto marked = store.update_snapshot(snapshot); !marked) {
    COHORT_TRY(job.will_keep(step));
    return Failure{marked.error()};
  }
  kill_point("delete.begun");
  auto left = merge_back(snapshot, hypervisor, store, job, stop);
  if (left) {
    if (auto checked = check_left(snapshot, forget_missing, *left, hypervisor); !checked)
      left = Failure{std::move(checked).error()};
  }
  if (!left) {
    // Not to be gone on with by itself: the user has cancelled, or has to mend something first.
    COHORT_TRY(job.will_keep(step));
    left.error().message += fmt::format(" `{}` goes on with what is not merged yet.", delete_command(snapshot));
    return left;
  }
  kill_point("delete.merged");
  COHORT_TRY(forget_snapshot(snapshot, hypervisor, store));
  kill_point("delete.forgotten");
  return left;
}

}  // namespace cohort::service
