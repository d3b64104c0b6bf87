// A store whose calls go through a CallControl.
#pragma once

#include <string>
#include <vector>

#include "service/ports/state_store.h"
#include "service/testing/call_control.h"

namespace cohort::service {

class ControlledStore final : public StateStore {
 public:
  ControlledStore(StateStore& store, CallControl& control) : store_(store), control_(control) {}

  [[nodiscard]] Result<void> add_collection(const Collection& collection) override {
    return control_.call("add_collection", [&] { return store_.add_collection(collection); });
  }
  [[nodiscard]] Result<void> update_collection(const Collection& collection) override {
    return control_.call("update_collection", [&] { return store_.update_collection(collection); });
  }
  [[nodiscard]] Result<void> remove_collection(const CollectionId& id) override {
    return control_.call("remove_collection", [&] { return store_.remove_collection(id); });
  }
  [[nodiscard]] Result<Collection> collection(const CollectionId& id) override {
    return control_.call("collection", [&] { return store_.collection(id); });
  }
  [[nodiscard]] Result<std::vector<Collection>> collections() override {
    return control_.call("collections", [&] { return store_.collections(); });
  }

  [[nodiscard]] Result<void> add_snapshot(const Snapshot& snapshot) override {
    return control_.call("add_snapshot", [&] { return store_.add_snapshot(snapshot); });
  }
  [[nodiscard]] Result<void> update_snapshot(const Snapshot& snapshot) override {
    const std::string name = "update_snapshot " + std::string(to_string(snapshot.state));
    return control_.call(name, [&] { return store_.update_snapshot(snapshot); });
  }
  [[nodiscard]] Result<void> remove_snapshot(const SnapshotId& id) override {
    return control_.call("remove_snapshot", [&] { return store_.remove_snapshot(id); });
  }
  [[nodiscard]] Result<Snapshot> snapshot(const SnapshotId& id) override {
    return control_.call("snapshot", [&] { return store_.snapshot(id); });
  }
  [[nodiscard]] Result<std::vector<Snapshot>> snapshots() override {
    return control_.call("snapshots", [&] { return store_.snapshots(); });
  }
  [[nodiscard]] Result<void> move_frozen(const Path& from, const Layer& to) override {
    return control_.call("move_frozen", [&] { return store_.move_frozen(from, to); });
  }
  [[nodiscard]] Result<void> stamp_frozen(const Path& frozen, const std::optional<FileStamp>& stamp) override {
    return control_.call("stamp_frozen", [&] { return store_.stamp_frozen(frozen, stamp); });
  }
  [[nodiscard]] Result<void> mark_merged(const Path& overlay, bool merged) override {
    return control_.call("mark_merged", [&] { return store_.mark_merged(overlay, merged); });
  }

  [[nodiscard]] Result<void> settle(const JobId& job, const std::vector<Snapshot>& changed,
                                    const std::vector<UndoStep>& steps) override {
    return control_.call("settle", [&] { return store_.settle(job, changed, steps); });
  }

  [[nodiscard]] Result<void> add_job(const Job& job) override {
    return control_.call("add_job", [&] { return store_.add_job(job); });
  }
  [[nodiscard]] Result<void> update_job(const Job& job) override {
    return control_.call("update_job", [&] { return store_.update_job(job); });
  }
  [[nodiscard]] Result<void> finish_job(const Job& job) override {
    return control_.call("finish_job", [&] { return store_.finish_job(job); });
  }
  [[nodiscard]] Result<Job> job(const JobId& id) override {
    return control_.call("job", [&] { return store_.job(id); });
  }
  [[nodiscard]] Result<std::vector<Job>> jobs() override {
    return control_.call("jobs", [&] { return store_.jobs(); });
  }
  [[nodiscard]] Result<void> request_cancel(const JobId& id) override {
    return control_.call("request_cancel", [&] { return store_.request_cancel(id); });
  }
  // Not controlled: it comes from a thread of its own, whenever a quarter of a second has passed.
  [[nodiscard]] Result<bool> is_cancel_requested(const JobId& id) override { return store_.is_cancel_requested(id); }

  [[nodiscard]] Result<UndoStep> add_undo_step(const JobId& job, UndoKind kind, const std::string& subject) override {
    const std::string name = "add_undo_step " + std::string(to_string(kind));
    return control_.call(name, [&] { return store_.add_undo_step(job, kind, subject); });
  }
  [[nodiscard]] Result<void> remove_undo_step(const UndoStep& step) override {
    const std::string name = "remove_undo_step " + std::string(to_string(step.kind));
    return control_.call(name, [&] { return store_.remove_undo_step(step); });
  }
  [[nodiscard]] Result<std::vector<UndoStep>> undo_steps(const JobId& job) override {
    return control_.call("undo_steps", [&] { return store_.undo_steps(job); });
  }

  [[nodiscard]] Path machine_state_folder(const SnapshotId& snapshot, const MachineId& machine) const override {
    return store_.machine_state_folder(snapshot, machine);
  }
  [[nodiscard]] Path tries_folder() const override { return store_.tries_folder(); }
  [[nodiscard]] Path snapshot_folder(const SnapshotId& snapshot) const override {
    return store_.snapshot_folder(snapshot);
  }

 private:
  StateStore& store_;
  CallControl& control_;
};

}  // namespace cohort::service
