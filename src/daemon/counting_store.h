// The state, with figures of what becomes of jobs and snapshots in it.
#pragma once

#include <memory>
#include <mutex>
#include <set>

#include "daemon/metrics.h"
#include "service/ports/state_store.h"

namespace cohort::daemon {

// Counts jobs as they begin and end, and the fence of a snapshot when it has been taken; hands all on to the store.
class CountingStore final : public service::StateStore {
 public:
  // The metrics outlive this object.
  CountingStore(std::unique_ptr<service::StateStore> store, Metrics& metrics);

  [[nodiscard]] Result<void> add_collection(const Collection& collection) override;
  [[nodiscard]] Result<void> update_collection(const Collection& collection) override;
  [[nodiscard]] Result<void> remove_collection(const CollectionId& id) override;
  [[nodiscard]] Result<Collection> collection(const CollectionId& id) override;
  [[nodiscard]] Result<std::vector<Collection>> collections() override;
  [[nodiscard]] Result<void> add_snapshot(const Snapshot& snapshot) override;
  [[nodiscard]] Result<void> update_snapshot(const Snapshot& snapshot) override;
  [[nodiscard]] Result<void> remove_snapshot(const SnapshotId& id) override;
  [[nodiscard]] Result<Snapshot> snapshot(const SnapshotId& id) override;
  [[nodiscard]] Result<std::vector<Snapshot>> snapshots() override;
  [[nodiscard]] Result<void> move_frozen(const Path& from, const Layer& to) override;
  [[nodiscard]] Result<void> stamp_frozen(const Path& frozen, const std::optional<FileStamp>& stamp) override;
  [[nodiscard]] Result<void> mark_merged(const Path& overlay, bool merged) override;
  [[nodiscard]] Result<void> add_job(const Job& job) override;
  [[nodiscard]] Result<void> update_job(const Job& job) override;
  [[nodiscard]] Result<void> finish_job(const Job& job) override;
  [[nodiscard]] Result<Job> job(const JobId& id) override;
  [[nodiscard]] Result<std::vector<Job>> jobs() override;
  [[nodiscard]] Result<void> request_cancel(const JobId& id) override;
  [[nodiscard]] Result<bool> is_cancel_requested(const JobId& id) override;
  [[nodiscard]] Result<void> settle(const JobId& job, const std::vector<Snapshot>& changed,
                                    const std::vector<UndoStep>& steps) override;
  [[nodiscard]] Result<UndoStep> add_undo_step(const JobId& job, UndoKind kind, const std::string& subject) override;
  [[nodiscard]] Result<void> remove_undo_step(const UndoStep& step) override;
  [[nodiscard]] Result<std::vector<UndoStep>> undo_steps(const JobId& job) override;
  [[nodiscard]] Path machine_state_folder(const SnapshotId& snapshot, const MachineId& machine) const override;
  [[nodiscard]] Path snapshot_folder(const SnapshotId& snapshot) const override;
  [[nodiscard]] Path tries_folder() const override;

 private:
  const std::unique_ptr<service::StateStore> store_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::set<SnapshotId> being_taken_;
};

}  // namespace cohort::daemon
