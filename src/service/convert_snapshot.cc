#include "service/convert_snapshot.h"

#include "base/kill_point.h"
#include "service/lookup.h"

namespace cohort::service {

Result<void> check_convertible(const Snapshot& snapshot) {
  if (snapshot.state != SnapshotState::kReady) {
    return fail(ErrorCode::kInvalidState, "The snapshot \"{}\" is {} and cannot be converted.", snapshot.name,
                to_string(snapshot.state));
  }
  if (snapshot.kind != SnapshotKind::kRecovery) {
    return fail(ErrorCode::kInvalidState, "\"{}\" is no recovery snapshot ({}): only those can be converted.",
                snapshot.name, to_string(snapshot.kind));
  }
  if (snapshot.kept_for.empty()) return {};
  return fail(ErrorCode::kInvalidState,
              "The snapshot \"{}\" is kept for the next incremental backup to \"{}\", which deletes it when there is a "
              "newer one: take a snapshot of your own to convert.",
              snapshot.name, snapshot.kept_for.string());
}

Result<Snapshot> convert_snapshot(const std::string& snapshot, StateStore& store, JobContext& job) {
  COHORT_ASSIGN(Snapshot found, find_snapshot(store, snapshot));
  job.works_on(WorksOn::of(found));
  COHORT_TRY(check_convertible(found));
  COHORT_TRY(job.check_cancelled());
  // The step is forgotten with the job's good end, both or neither: the history says what has become of the snapshot.
  COHORT_TRY(job.will_undo(UndoKind::kUndoConvert, found.id.str()));
  kill_point("convert.begun");
  make_reference_point(found);
  COHORT_TRY(store.update_snapshot(found));
  kill_point("convert.converted");
  COHORT_TRY(job.check_cancelled());
  job.set_result(public_id(found));
  return found;
}

}  // namespace cohort::service
