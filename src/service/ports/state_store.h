// What Cohort remembers between two runs. Implemented over SQLite in store/, faked in tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "domain/collection.h"
#include "domain/job.h"
#include "domain/snapshot.h"
#include "domain/undo_step.h"

namespace cohort::service {

// Every change is durable (synced) when the call returns, and whole or not at all.
// Threads: safe to call from several at once.
// Errors:  kNotFound, kAlreadyExists as said; kInUse if another process keeps the database busy; kNoSpace, kIo,
//          kCorrupt from below. A store opened for reading fails every change but request_cancel with kInvalidState.
class StateStore {
 public:
  virtual ~StateStore() = default;

  // Collections. Names are unique (kAlreadyExists).
  [[nodiscard]] virtual Result<void> add_collection(const Collection& collection) = 0;
  [[nodiscard]] virtual Result<void> update_collection(const Collection& collection) = 0;
  [[nodiscard]] virtual Result<void> remove_collection(const CollectionId& id) = 0;
  [[nodiscard]] virtual Result<Collection> collection(const CollectionId& id) = 0;
  [[nodiscard]] virtual Result<std::vector<Collection>> collections() = 0;  // by name

  // Snapshots, whole with members and disks.
  [[nodiscard]] virtual Result<void> add_snapshot(const Snapshot& snapshot) = 0;
  [[nodiscard]] virtual Result<void> update_snapshot(const Snapshot& snapshot) = 0;
  // Snapshots whose parent it was get its own parent, which becomes the current one if this was it.
  [[nodiscard]] virtual Result<void> remove_snapshot(const SnapshotId& id) = 0;
  [[nodiscard]] virtual Result<Snapshot> snapshot(const SnapshotId& id) = 0;
  [[nodiscard]] virtual Result<std::vector<Snapshot>> snapshots() = 0;  // oldest instant first
  // A merge has moved the content of `from` into `to`: every disk of every snapshot whose frozen file was `from`, or
  // stood on it, has `to` instead. Success if there is none.
  [[nodiscard]] virtual Result<void> move_frozen(const Path& from, const Layer& to) = 0;
  // Sets DiskSnapshot::stamp of every disk with this frozen file. Success if there is none.
  [[nodiscard]] virtual Result<void> stamp_frozen(const Path& frozen, const std::optional<FileStamp>& stamp) = 0;
  // Sets DiskSnapshot::merged of every disk with this overlay. Success if there is none.
  [[nodiscard]] virtual Result<void> mark_merged(const Path& overlay, bool merged) = 0;

  // The job has come to the point from which it is completed and not undone: updates these snapshots, and puts these
  // undo steps in the place of those that the job had. All or nothing.
  [[nodiscard]] virtual Result<void> settle(const JobId& job, const std::vector<Snapshot>& changed,
                                            const std::vector<UndoStep>& steps) = 0;

  // Jobs. The oldest of those that ended more than five minutes ago may be forgotten.
  [[nodiscard]] virtual Result<void> add_job(const Job& job) = 0;
  [[nodiscard]] virtual Result<void> update_job(const Job& job) = 0;
  // The job has ended: stores it and forgets its undo steps, both or neither.
  [[nodiscard]] virtual Result<void> finish_job(const Job& job) = 0;
  [[nodiscard]] virtual Result<Job> job(const JobId& id) = 0;
  [[nodiscard]] virtual Result<std::vector<Job>> jobs() = 0;  // newest first
  // Can be called by any process while another runs the job. Success if the job has ended already.
  [[nodiscard]] virtual Result<void> request_cancel(const JobId& id) = 0;
  [[nodiscard]] virtual Result<bool> is_cancel_requested(const JobId& id) = 0;

  // Undo steps of a job that has not ended, in the order recorded.
  [[nodiscard]] virtual Result<UndoStep> add_undo_step(const JobId& job, UndoKind kind, const std::string& subject) = 0;
  [[nodiscard]] virtual Result<void> remove_undo_step(const UndoStep& step) = 0;
  [[nodiscard]] virtual Result<std::vector<UndoStep>> undo_steps(const JobId& job) = 0;

  // The folder for small files of a snapshot's machine (NVRAM, TPM state): "<state>/snapshots/<id>/<machine>".
  // It is not made here.
  [[nodiscard]] virtual Path machine_state_folder(const SnapshotId& snapshot, const MachineId& machine) const = 0;
  [[nodiscard]] virtual Path snapshot_folder(const SnapshotId& snapshot) const = 0;
  // The folder for the disks of machines that are tried: "<state>/tries". It is not made here.
  [[nodiscard]] virtual Path tries_folder() const = 0;
};

}  // namespace cohort::service
