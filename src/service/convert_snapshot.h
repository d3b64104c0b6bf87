// Makes a reference point of a recovery snapshot: what remains of it is the base of differences, with an identity of
// its own, and each disk can tell what it has changed since.
//
// One that is none from the beginning: TakeSnapshotRequest::kind. To delete it:
// DeleteSnapshotRequest::is_reference_point. To export what it holds: ExportRequest::is_reference_point. To list and
// find them: lookup.h.
#pragma once

#include <string>

#include "domain/snapshot.h"
#include "service/job_context.h"
#include "service/ports/state_store.h"

namespace cohort::service {

// kInvalidState if it is not ready, no recovery snapshot, or kept by backups for their own use.
[[nodiscard]] Result<void> check_convertible(const Snapshot& snapshot);

// The snapshot (by name, UUID, or the first characters of the UUID) is gone then, and the result is there; no machine
// is touched. kNotFound; kInvalidState (check_convertible); kCancelled: it is a snapshot as before.
// Crash: recover() makes it a snapshot again, unless the job has ended well.
[[nodiscard]] Result<Snapshot> convert_snapshot(const std::string& snapshot, StateStore& store, JobContext& job);

}  // namespace cohort::service
