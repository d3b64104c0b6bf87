#include "daemon/counting_store.h"

#include <utility>

namespace cohort::daemon {

CountingStore::CountingStore(std::unique_ptr<service::StateStore> store, Metrics& metrics)
    : store_(std::move(store)), metrics_(metrics) {
  const auto jobs = store_->jobs();
  if (!jobs) return;
  for (const Job& each : *jobs) {
    if (!is_ended(each.state)) metrics_.count_begun_job(each.type);
  }
}

// --- what is counted ---

Result<void> CountingStore::add_job(const Job& job) {
  COHORT_TRY(store_->add_job(job));
  metrics_.count_begun_job(job.type);
  return {};
}

Result<void> CountingStore::finish_job(const Job& job) {
  COHORT_TRY(store_->finish_job(job));
  metrics_.count_ended_job(job.type, job.state, job.progress.done_bytes);
  return {};
}

Result<void> CountingStore::add_snapshot(const Snapshot& snapshot) {
  COHORT_TRY(store_->add_snapshot(snapshot));
  const std::scoped_lock lock(mutex_);
  if (snapshot.state == SnapshotState::kCreating) being_taken_.insert(snapshot.id);
  return {};
}

Result<void> CountingStore::update_snapshot(const Snapshot& snapshot) {
  COHORT_TRY(store_->update_snapshot(snapshot));
  const std::scoped_lock lock(mutex_);
  if (snapshot.state != SnapshotState::kCreating && being_taken_.erase(snapshot.id) > 0) {
    metrics_.observe_fence(snapshot.fence.raised);
  }
  return {};
}

Result<void> CountingStore::remove_snapshot(const SnapshotId& id) {
  COHORT_TRY(store_->remove_snapshot(id));
  const std::scoped_lock lock(mutex_);
  being_taken_.erase(id);
  return {};
}

// --- the rest ---

Result<void> CountingStore::add_collection(const Collection& collection) { return store_->add_collection(collection); }
Result<void> CountingStore::update_collection(const Collection& collection) {
  return store_->update_collection(collection);
}
Result<void> CountingStore::remove_collection(const CollectionId& id) { return store_->remove_collection(id); }
Result<Collection> CountingStore::collection(const CollectionId& id) { return store_->collection(id); }
Result<std::vector<Collection>> CountingStore::collections() { return store_->collections(); }
Result<Snapshot> CountingStore::snapshot(const SnapshotId& id) { return store_->snapshot(id); }
Result<std::vector<Snapshot>> CountingStore::snapshots() { return store_->snapshots(); }
Result<void> CountingStore::move_frozen(const Path& from, const Layer& to) { return store_->move_frozen(from, to); }
Result<void> CountingStore::stamp_frozen(const Path& frozen, const std::optional<FileStamp>& stamp) {
  return store_->stamp_frozen(frozen, stamp);
}
Result<void> CountingStore::mark_merged(const Path& overlay, bool merged) {
  return store_->mark_merged(overlay, merged);
}
Result<void> CountingStore::update_job(const Job& job) { return store_->update_job(job); }
Result<Job> CountingStore::job(const JobId& id) { return store_->job(id); }
Result<std::vector<Job>> CountingStore::jobs() { return store_->jobs(); }
Result<void> CountingStore::request_cancel(const JobId& id) { return store_->request_cancel(id); }
Result<bool> CountingStore::is_cancel_requested(const JobId& id) { return store_->is_cancel_requested(id); }
Result<void> CountingStore::settle(const JobId& job, const std::vector<Snapshot>& changed,
                                   const std::vector<UndoStep>& steps) {
  return store_->settle(job, changed, steps);
}

Result<UndoStep> CountingStore::add_undo_step(const JobId& job, UndoKind kind, const std::string& subject) {
  return store_->add_undo_step(job, kind, subject);
}
Result<void> CountingStore::remove_undo_step(const UndoStep& step) { return store_->remove_undo_step(step); }
Result<std::vector<UndoStep>> CountingStore::undo_steps(const JobId& job) { return store_->undo_steps(job); }
Path CountingStore::machine_state_folder(const SnapshotId& snapshot, const MachineId& machine) const {
  return store_->machine_state_folder(snapshot, machine);
}
Path CountingStore::snapshot_folder(const SnapshotId& snapshot) const { return store_->snapshot_folder(snapshot); }
Path CountingStore::tries_folder() const { return store_->tries_folder(); }

}  // namespace cohort::daemon
