// What the settings of snapshots and reference points ask for.
#pragma once

#include "base/result.h"
#include "cim/value.h"
#include "domain/consistency.h"
#include "domain/snapshot.h"
#include "provider/provider.h"
#include "service/job_engine.h"

namespace cohort::provider {

// ConsistencyLevel (uint8) of Msvm_VirtualSystemSnapshotSettingData and Msvm_CollectionReferencePointSettingData:
// 1 application, 2 crash; best where nothing is said, or there are no settings (nullptr).
[[nodiscard]] Result<ConsistencyWish> consistency_in(const cim::Instance* settings);

// GuestBackupType of Msvm_VirtualSystemSnapshotSettingData: a full backup (1) and a copy (2) are the same here, since
// no guest is told that it was backed up. kInvalidArgument: it is none of them.
[[nodiscard]] Result<void> check_guest_backup_type(const cim::Instance* settings);

// A job about a snapshot or reference point, which the caller asks for.
[[nodiscard]] inline service::JobOrder order_for(JobType type, const Snapshot& snapshot, const MethodCall& call) {
  return {type, snapshot.name, call.caller.name, WorksOn::of(snapshot)};
}

// An operation as the body of a job. What it returns is left aside: the job's record says what it made.
template <typename Operation>
[[nodiscard]] service::JobEngine::Body as_job(Operation operation) {
  return [operation = std::move(operation)](service::JobContext& job) -> Result<void> {
    return operation(job).map([](const auto&) {});
  };
}

}  // namespace cohort::provider
