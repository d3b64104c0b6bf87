#include "service/testing/fake_state_store.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace cohort::service {
namespace {

using Lock = std::unique_lock<std::mutex>;

bool has_member(const Collection& outer, const CollectionId& inner) {
  return std::find(outer.collections.begin(), outer.collections.end(), inner) != outer.collections.end();
}

Failure no_collection(const CollectionId& id) {
  return fail(ErrorCode::kNotFound, "There is no collection {}.", id.str());
}

Failure no_snapshot(const SnapshotId& id) { return fail(ErrorCode::kNotFound, "There is no snapshot {}.", id.str()); }

Failure no_job(const JobId& id) { return fail(ErrorCode::kNotFound, "There is no job {}.", id.str()); }

std::string step_entry(std::string_view call, const UndoStep& step) {
  return fmt::format("{} {} {}", call, to_string(step.kind), step.subject);
}

}  // namespace

void FakeStateStore::fail_next(std::string_view call, Error error) {
  const Lock lock(mutex_);
  failures_[std::string(call)].push_back(std::move(error));
}

std::vector<std::string> FakeStateStore::journal() const {
  const Lock lock(mutex_);
  return journal_;
}

void FakeStateStore::clear_journal() {
  const Lock lock(mutex_);
  journal_.clear();
}

void FakeStateStore::on_change(std::function<void(const std::string&)> listener) {
  const Lock lock(mutex_);
  listener_ = std::move(listener);
}

Result<void> FakeStateStore::injected(std::string_view call) {
  const auto found = failures_.find(call);
  if (found == failures_.end() || found->second.empty()) {
    return {};
  }
  Error error = std::move(found->second.front());
  found->second.erase(found->second.begin());
  return Failure{std::move(error)};
}

void FakeStateStore::record(Lock& lock, std::string entry) {
  journal_.push_back(entry);
  const auto listener = listener_;
  lock.unlock();
  if (listener) {
    listener(entry);
  }
}

Result<void> FakeStateStore::check_collection(const Collection& collection) const {
  for (const auto& [id, other] : collections_) {
    if (id != collection.id && other.name == collection.name) {
      return fail(ErrorCode::kAlreadyExists, "There is a collection \"{}\" already.", collection.name);
    }
  }
  for (const CollectionId& inner : collection.collections) {
    if (inner != collection.id && !collections_.contains(inner)) {
      return no_collection(inner);
    }
  }
  return {};
}

Result<void> FakeStateStore::add_collection(const Collection& collection) {
  Lock lock(mutex_);
  COHORT_TRY(injected("add_collection"));
  if (collections_.contains(collection.id)) {
    return fail(ErrorCode::kAlreadyExists, "There is a collection {} already.", collection.id.str());
  }
  COHORT_TRY(check_collection(collection));
  collections_.emplace(collection.id, collection);
  record(lock, "add_collection " + collection.name);
  return {};
}

Result<void> FakeStateStore::update_collection(const Collection& collection) {
  Lock lock(mutex_);
  COHORT_TRY(injected("update_collection"));
  const auto found = collections_.find(collection.id);
  if (found == collections_.end()) {
    return no_collection(collection.id);
  }
  COHORT_TRY(check_collection(collection));
  found->second = collection;
  record(lock, "update_collection " + collection.name);
  return {};
}

Result<void> FakeStateStore::remove_collection(const CollectionId& id) {
  Lock lock(mutex_);
  COHORT_TRY(injected("remove_collection"));
  const auto found = collections_.find(id);
  if (found == collections_.end()) {
    return no_collection(id);
  }
  for (const auto& [other, outer] : collections_) {
    if (other != id && has_member(outer, id)) {
      return fail(ErrorCode::kInvalidState, "The collection \"{}\" is a member of \"{}\".", found->second.name,
                  outer.name);
    }
  }
  const std::string name = found->second.name;
  collections_.erase(found);
  record(lock, "remove_collection " + name);
  return {};
}

Result<Collection> FakeStateStore::collection(const CollectionId& id) {
  const Lock lock(mutex_);
  COHORT_TRY(injected("collection"));
  const auto found = collections_.find(id);
  if (found == collections_.end()) {
    return no_collection(id);
  }
  return found->second;
}

Result<std::vector<Collection>> FakeStateStore::collections() {
  const Lock lock(mutex_);
  COHORT_TRY(injected("collections"));
  std::vector<Collection> all;
  for (const auto& [id, collection] : collections_) {
    all.push_back(collection);
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

Result<void> FakeStateStore::add_snapshot(const Snapshot& snapshot) {
  Lock lock(mutex_);
  COHORT_TRY(injected("add_snapshot"));
  if (!snapshots_.emplace(snapshot.id, snapshot).second) {
    return fail(ErrorCode::kAlreadyExists, "There is a snapshot {} already.", snapshot.id.str());
  }
  record(lock, fmt::format("add_snapshot {}", to_string(snapshot.state)));
  return {};
}

Result<void> FakeStateStore::update_snapshot(const Snapshot& snapshot) {
  Lock lock(mutex_);
  COHORT_TRY(injected("update_snapshot"));
  const auto found = snapshots_.find(snapshot.id);
  if (found == snapshots_.end()) {
    return no_snapshot(snapshot.id);
  }
  found->second = snapshot;
  record(lock, fmt::format("update_snapshot {}", to_string(snapshot.state)));
  return {};
}

Result<void> FakeStateStore::remove_snapshot(const SnapshotId& id) {
  Lock lock(mutex_);
  COHORT_TRY(injected("remove_snapshot"));
  const auto found = snapshots_.find(id);
  if (found == snapshots_.end()) {
    return no_snapshot(id);
  }
  const std::string state(to_string(found->second.state));
  const Snapshot gone = found->second;
  for (auto& [other, snapshot] : snapshots_) {
    if (gone.parent == other) snapshot.arrival = std::max(snapshot.arrival, gone.arrival);
    if (snapshot.parent == id) snapshot.parent = gone.parent;
  }
  snapshots_.erase(found);
  record(lock, "remove_snapshot " + state);
  return {};
}

Result<Snapshot> FakeStateStore::snapshot(const SnapshotId& id) {
  const Lock lock(mutex_);
  COHORT_TRY(injected("snapshot"));
  const auto found = snapshots_.find(id);
  if (found == snapshots_.end()) {
    return no_snapshot(id);
  }
  return as_read(found->second);
}

Snapshot FakeStateStore::as_read(Snapshot snapshot) const {
  const auto counts = [](const Snapshot& each) {
    return each.state == SnapshotState::kReady || each.state == SnapshotState::kShared;
  };
  snapshot.is_current = counts(snapshot);
  for (const auto& [id, other] : snapshots_) {
    const bool is_of_it = other.collection == snapshot.collection && counts(other);
    if (is_of_it && other.arrival > snapshot.arrival) snapshot.is_current = false;
  }
  return snapshot;
}

Result<void> FakeStateStore::settle(const JobId& job, const std::vector<Snapshot>& changed,
                                    const std::vector<UndoStep>& steps) {
  Lock lock(mutex_);
  COHORT_TRY(injected("settle"));
  for (const auto& snapshot : changed) {
    if (!snapshots_.contains(snapshot.id)) return no_snapshot(snapshot.id);
  }
  for (const auto& snapshot : changed) snapshots_[snapshot.id] = snapshot;
  std::erase_if(undo_steps_, [&job](const StoredUndoStep& stored) { return stored.job == job; });
  for (const auto& step : steps) undo_steps_.push_back({job, {++last_undo_number_, step.kind, step.subject}});
  record(lock, "settle");
  return {};
}

Result<std::vector<Snapshot>> FakeStateStore::snapshots() {
  const Lock lock(mutex_);
  COHORT_TRY(injected("snapshots"));
  std::vector<Snapshot> all;
  for (const auto& [id, snapshot] : snapshots_) {
    all.push_back(as_read(snapshot));
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return std::tie(a.instant, a.id) < std::tie(b.instant, b.id); });
  return all;
}

void FakeStateStore::for_each_disk(const std::function<void(DiskSnapshot&)>& change) {
  for (auto& [id, snapshot] : snapshots_) {
    for (MemberSnapshot& member : snapshot.members) {
      for (DiskSnapshot& disk : member.disks) {
        change(disk);
      }
    }
  }
}

Result<void> FakeStateStore::move_frozen(const Path& from, const Layer& to) {
  Lock lock(mutex_);
  COHORT_TRY(injected("move_frozen"));
  Path below;
  for_each_disk([&](const DiskSnapshot& disk) {
    if (disk.frozen.path.native() == to.path.native()) below = disk.stands_on;
  });
  for_each_disk([&](DiskSnapshot& disk) {
    if (disk.stands_on.native() == from.native()) disk.stands_on = to.path;
    if (disk.frozen.path.native() == from.native()) {
      disk.frozen = to;
      disk.stands_on = below;
    }
  });
  record(lock, fmt::format("move_frozen {} {}", from.native(), to.path.native()));
  return {};
}

Result<void> FakeStateStore::stamp_frozen(const Path& frozen, const std::optional<FileStamp>& stamp) {
  Lock lock(mutex_);
  COHORT_TRY(injected("stamp_frozen"));
  for_each_disk([&](DiskSnapshot& disk) {
    if (disk.frozen.path.native() == frozen.native()) {
      disk.stamp = stamp;
    }
  });
  record(lock, "stamp_frozen " + frozen.native());
  return {};
}

Result<void> FakeStateStore::mark_merged(const Path& overlay, bool merged) {
  Lock lock(mutex_);
  COHORT_TRY(injected("mark_merged"));
  for_each_disk([&](DiskSnapshot& disk) {
    if (disk.overlay.native() == overlay.native()) {
      disk.merged = merged;
    }
  });
  record(lock, fmt::format("mark_merged {} {}", overlay.native(), merged));
  return {};
}

std::vector<Job>::iterator FakeStateStore::find_job(const JobId& id) {
  return std::find_if(jobs_.begin(), jobs_.end(), [&id](const Job& job) { return job.id == id; });
}

Result<void> FakeStateStore::replace_job(const Job& job) {
  const auto found = find_job(job.id);
  if (found == jobs_.end()) {
    return no_job(job.id);
  }
  *found = job;
  return {};
}

Result<void> FakeStateStore::add_job(const Job& job) {
  Lock lock(mutex_);
  COHORT_TRY(injected("add_job"));
  if (find_job(job.id) != jobs_.end()) {
    return fail(ErrorCode::kAlreadyExists, "There is a job {} already.", job.id.str());
  }
  jobs_.push_back(job);
  record(lock, fmt::format("add_job {}", to_string(job.state)));
  return {};
}

Result<void> FakeStateStore::update_job(const Job& job) {
  Lock lock(mutex_);
  COHORT_TRY(injected("update_job"));
  COHORT_TRY(replace_job(job));
  record(lock, fmt::format("update_job {}", to_string(job.state)));
  return {};
}

Result<void> FakeStateStore::finish_job(const Job& job) {
  Lock lock(mutex_);
  COHORT_TRY(injected("finish_job"));
  COHORT_TRY(replace_job(job));
  std::erase_if(undo_steps_, [&job](const StoredUndoStep& stored) { return stored.job == job.id; });
  record(lock, fmt::format("finish_job {}", to_string(job.state)));
  return {};
}

Result<Job> FakeStateStore::job(const JobId& id) {
  const Lock lock(mutex_);
  COHORT_TRY(injected("job"));
  const auto found = find_job(id);
  if (found == jobs_.end()) {
    return no_job(id);
  }
  return *found;
}

Result<std::vector<Job>> FakeStateStore::jobs() {
  const Lock lock(mutex_);
  COHORT_TRY(injected("jobs"));
  // Of jobs made in the same microsecond, the one added last comes first.
  std::vector<Job> newest_first(jobs_.rbegin(), jobs_.rend());
  std::stable_sort(newest_first.begin(), newest_first.end(),
                   [](const Job& a, const Job& b) { return a.created > b.created; });
  return newest_first;
}

Result<void> FakeStateStore::request_cancel(const JobId& id) {
  Lock lock(mutex_);
  COHORT_TRY(injected("request_cancel"));
  const auto found = find_job(id);
  if (found == jobs_.end()) {
    return no_job(id);
  }
  if (is_ended(found->state)) {
    return {};
  }
  cancel_requested_.insert(id);
  record(lock, "request_cancel");
  return {};
}

Result<bool> FakeStateStore::is_cancel_requested(const JobId& id) {
  const Lock lock(mutex_);
  COHORT_TRY(injected("is_cancel_requested"));
  if (find_job(id) == jobs_.end()) {
    return no_job(id);
  }
  return cancel_requested_.contains(id);
}

Result<UndoStep> FakeStateStore::add_undo_step(const JobId& job, UndoKind kind, const std::string& subject) {
  Lock lock(mutex_);
  COHORT_TRY(injected("add_undo_step"));
  const auto found = find_job(job);
  if (found == jobs_.end()) {
    return no_job(job);
  }
  if (is_ended(found->state)) {
    return fail(ErrorCode::kInvalidState, "The job {} has ended.", job.str());
  }
  const UndoStep step{++last_undo_number_, kind, subject};
  undo_steps_.push_back({job, step});
  record(lock, step_entry("add_undo_step", step));
  return step;
}

Result<void> FakeStateStore::remove_undo_step(const UndoStep& step) {
  Lock lock(mutex_);
  COHORT_TRY(injected("remove_undo_step"));
  std::erase_if(undo_steps_, [&step](const StoredUndoStep& stored) { return stored.step.number == step.number; });
  record(lock, step_entry("remove_undo_step", step));
  return {};
}

Result<std::vector<UndoStep>> FakeStateStore::undo_steps(const JobId& job) {
  const Lock lock(mutex_);
  COHORT_TRY(injected("undo_steps"));
  std::vector<UndoStep> steps;
  for (const StoredUndoStep& stored : undo_steps_) {
    if (stored.job == job) {
      steps.push_back(stored.step);
    }
  }
  return steps;
}

Path FakeStateStore::machine_state_folder(const SnapshotId& snapshot, const MachineId& machine) const {
  return snapshot_folder(snapshot) / machine.str();
}

Path FakeStateStore::tries_folder() const { return folder_ / "tries"; }

Path FakeStateStore::snapshot_folder(const SnapshotId& snapshot) const {
  return folder_ / "snapshots" / snapshot.str();
}

}  // namespace cohort::service
