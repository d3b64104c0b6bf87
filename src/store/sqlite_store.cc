#include "store/sqlite_store.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "store/connection.h"
#include "store/open.h"
#include "store/state_lock.h"
#include "store/tables.h"

namespace cohort::store {
namespace {

class SqliteStore final : public service::StateStore {
 public:
  SqliteStore(Path folder, std::optional<StateLock> lock, std::unique_ptr<Connection> connection)
      : folder_(std::move(folder)), lock_(std::move(lock)), connection_(std::move(connection)) {}

  Result<void> add_collection(const Collection& collection) override {
    return change([&](auto& database) { return store::add_collection(database, collection); });
  }
  Result<void> update_collection(const Collection& collection) override {
    return change([&](auto& database) { return store::update_collection(database, collection); });
  }
  Result<void> remove_collection(const CollectionId& id) override {
    return change([&](auto& database) { return store::remove_collection(database, id); });
  }
  Result<Collection> collection(const CollectionId& id) override {
    return connection_->read([&](auto& database) { return read_collection(database, id); });
  }
  Result<std::vector<Collection>> collections() override {
    return connection_->read(
        [](auto& database) { return Result<std::vector<Collection>>(read_collections(database)); });
  }

  Result<void> add_snapshot(const Snapshot& snapshot) override {
    return change([&](auto& database) { return store::add_snapshot(database, snapshot); });
  }
  Result<void> update_snapshot(const Snapshot& snapshot) override {
    return change([&](auto& database) { return store::update_snapshot(database, snapshot); });
  }
  Result<void> remove_snapshot(const SnapshotId& id) override {
    return change([&](auto& database) { return store::remove_snapshot(database, id); });
  }
  Result<Snapshot> snapshot(const SnapshotId& id) override {
    return connection_->read([&](auto& database) { return read_snapshot(database, id); });
  }
  Result<std::vector<Snapshot>> snapshots() override {
    return connection_->read([](auto& database) { return Result<std::vector<Snapshot>>(read_snapshots(database)); });
  }
  Result<void> move_frozen(const Path& from, const Layer& to) override {
    return change([&](auto& database) {
      store::move_frozen(database, from, to);
      return Result<void>();
    });
  }
  Result<void> stamp_frozen(const Path& frozen, const std::optional<FileStamp>& stamp) override {
    return change([&](auto& database) {
      store::stamp_frozen(database, frozen, stamp);
      return Result<void>();
    });
  }
  Result<void> mark_merged(const Path& overlay, bool merged) override {
    return change([&](auto& database) {
      store::mark_merged(database, overlay, merged);
      return Result<void>();
    });
  }

  Result<void> add_job(const Job& job) override {
    return change([&](auto& database) { return store::add_job(database, job); });
  }
  Result<void> update_job(const Job& job) override {
    return change([&](auto& database) { return store::update_job(database, job); });
  }
  Result<void> finish_job(const Job& job) override {
    return change([&](auto& database) -> Result<void> {
      COHORT_TRY(store::update_job(database, job));
      remove_undo_steps(database, job.id);
      return {};
    });
  }
  Result<Job> job(const JobId& id) override {
    return connection_->read([&](auto& database) { return read_job(database, id); });
  }
  Result<std::vector<Job>> jobs() override {
    return connection_->read([](auto& database) { return Result<std::vector<Job>>(read_jobs(database)); });
  }
  // Not through change(): whoever may read may cancel.
  Result<void> request_cancel(const JobId& id) override {
    return connection_->change([&](auto& database) { return store::request_cancel(database, id); });
  }
  Result<bool> is_cancel_requested(const JobId& id) override {
    return connection_->read([&](auto& database) { return store::is_cancel_requested(database, id); });
  }

  Result<UndoStep> add_undo_step(const JobId& job, UndoKind kind, const std::string& subject) override {
    return change([&](auto& database) { return store::add_undo_step(database, job, kind, subject); });
  }
  Result<void> remove_undo_step(const UndoStep& step) override {
    return change([&](auto& database) {
      store::remove_undo_step(database, step);
      return Result<void>();
    });
  }
  Result<std::vector<UndoStep>> undo_steps(const JobId& job) override {
    return connection_->read(
        [&](auto& database) { return Result<std::vector<UndoStep>>(read_undo_steps(database, job)); });
  }

  Path machine_state_folder(const SnapshotId& snapshot, const MachineId& machine) const override {
    return snapshot_folder(snapshot) / machine.str();
  }
  Path tries_folder() const override { return folder_ / "tries"; }
  Path snapshot_folder(const SnapshotId& snapshot) const override { return folder_ / "snapshots" / snapshot.str(); }

 private:
  template <typename Work>
  std::invoke_result_t<const Work&, SQLite::Database&> change(const Work& work) {
    if (!lock_) {
      return fail(ErrorCode::kInvalidState, "The state in \"{}\" is open for reading only.", folder_.string());
    }
    return connection_->change(work);
  }

  Path folder_;
  std::optional<StateLock> lock_;  // held by the writer alone; given up after the connection is closed
  std::unique_ptr<Connection> connection_;
};

Result<bool> has_file(const Path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    return true;
  }
  const int number = errno;
  if (number == ENOENT) {
    return false;
  }
  return Failure{system_error(number, fmt::format("The state file \"{}\" cannot be looked at.", path.string()))};
}

Result<std::unique_ptr<service::StateStore>> open_for_reading(const Path& state, const std::string& uri) {
  const Path path = state / "cohort.db";
  COHORT_ASSIGN(const bool is_there, has_file(path));
  if (!is_there) {
    return fail(ErrorCode::kNotFound, "There is no state in \"{}\" yet.", state.string());
  }
  COHORT_ASSIGN(auto connection, open_database(path, Access::kRead, uri));
  return std::make_unique<SqliteStore>(state, std::nullopt, std::move(connection));
}

Result<std::unique_ptr<service::StateStore>> open_for_writing(const Path& state, const std::string& uri) {
  const Path path = state / "cohort.db";
  COHORT_TRY(make_directories(state, 0711));
  COHORT_ASSIGN(StateLock lock, StateLock::acquire(state));
  COHORT_ASSIGN(const bool is_there, has_file(path));
  if (!is_there) {
    COHORT_TRY(create_database(path, uri));
  }
  COHORT_ASSIGN(auto connection, open_database(path, Access::kWrite, uri));
  return std::make_unique<SqliteStore>(state, std::move(lock), std::move(connection));
}

}  // namespace

Result<std::unique_ptr<service::StateStore>> open_sqlite_store(const Path& state, Access access,
                                                               const std::string& uri) {
  return access == Access::kRead ? open_for_reading(state, uri) : open_for_writing(state, uri);
}

}  // namespace cohort::store
