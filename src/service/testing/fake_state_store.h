// A StateStore in memory, for tests: it behaves as the one over SQLite does (tests/contract holds both to one suite),
// can be told to fail, and keeps a journal of the changes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "service/ports/state_store.h"

namespace cohort::service {

// Threads: safe to call from several at once, as the port asks.
class FakeStateStore final : public StateStore {
 public:
  // snapshot_folder() and machine_state_folder() lie below `folder`; nothing is made there.
  explicit FakeStateStore(Path folder = "/nonexistent/fake-state") : folder_(std::move(folder)) {}

  // The next call of the function with this name ("add_snapshot") fails with `error` and changes nothing. Told more
  // than once, as many calls fail, in that order.
  void fail_next(std::string_view call, Error error);

  // Every change that was made, in order: the function's name and what tells it apart from its like:
  //   "add_collection web", "update_collection web", "remove_collection web",
  //   "add_snapshot creating", "update_snapshot ready", "remove_snapshot deleting" (the state stored, or lost),
  //   "move_frozen /from /to", "add_job queued", "update_job running", "finish_job completed", "request_cancel",
  //   "add_undo_step remove_file /path", "remove_undo_step remove_file /path".
  [[nodiscard]] std::vector<std::string> journal() const;
  void clear_journal();
  // Called with each entry as it is made, after the change, with no lock held; to weave journals of several fakes.
  void on_change(std::function<void(const std::string&)> listener);

  [[nodiscard]] Result<void> add_collection(const Collection& collection) override;
  [[nodiscard]] Result<void> update_collection(const Collection& collection) override;
  [[nodiscard]] Result<void> remove_collection(const CollectionId& id) override;
  [[nodiscard]] Result<Collection> collection(const CollectionId& id) override;
  [[nodiscard]] Result<std::vector<Collection>> collections() override;

  [[nodiscard]] Result<void> add_snapshot(const Snapshot& snapshot) override;
  [[nodiscard]] Result<void> update_snapshot(const Snapshot& snapshot) override;
  [[nodiscard]] Result<void> remove_snapshot(const SnapshotId& id) override;
  [[nodiscard]] Result<void> settle(const JobId& job, const std::vector<Snapshot>& changed,
                                    const std::vector<UndoStep>& steps) override;
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

  [[nodiscard]] Result<UndoStep> add_undo_step(const JobId& job, UndoKind kind, const std::string& subject) override;
  [[nodiscard]] Result<void> remove_undo_step(const UndoStep& step) override;
  [[nodiscard]] Result<std::vector<UndoStep>> undo_steps(const JobId& job) override;

  [[nodiscard]] Path machine_state_folder(const SnapshotId& snapshot, const MachineId& machine) const override;
  [[nodiscard]] Path snapshot_folder(const SnapshotId& snapshot) const override;
  [[nodiscard]] Path tries_folder() const override;

 private:
  struct StoredUndoStep {
    JobId job;
    UndoStep step;
  };

  // The REQUIRES of all of these: mutex_ is held.
  [[nodiscard]] Result<void> injected(std::string_view call);
  [[nodiscard]] Result<void> check_collection(const Collection& collection) const;
  [[nodiscard]] std::vector<Job>::iterator find_job(const JobId& id);
  [[nodiscard]] Result<void> replace_job(const Job& job);
  // REQUIRES: mutex_ is held.
  [[nodiscard]] Snapshot as_read(Snapshot snapshot) const;
  void for_each_disk(const std::function<void(DiskSnapshot&)>& change);

  // Journals a change; gives up the lock first and calls the listener.
  void record(std::unique_lock<std::mutex>& lock, std::string entry);

  Path folder_;
  mutable std::mutex mutex_;
  std::map<CollectionId, Collection> collections_;
  std::map<SnapshotId, Snapshot> snapshots_;
  std::vector<Job> jobs_;  // in the order added
  std::set<JobId> cancel_requested_;
  std::vector<StoredUndoStep> undo_steps_;
  std::int64_t last_undo_number_ = 0;
  std::map<std::string, std::vector<Error>, std::less<>> failures_;
  std::vector<std::string> journal_;
  std::function<void(const std::string&)> listener_;
};

}  // namespace cohort::service
