#include "store/sqlite_store.h"

#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "store/connection.h"
#include "store/open.h"
#include "store/space_reserve.h"
#include "store/state_lock.h"
#include "store/tables.h"

namespace cohort::store {
namespace {

// Nobody stands still for it any more, or it is being deleted.
bool is_taken_back(const Snapshot& snapshot) {
  const bool has_failed = snapshot.state == SnapshotState::kCreating && snapshot.instant == WallTime{};
  return has_failed || snapshot.state == SnapshotState::kShared || snapshot.state == SnapshotState::kDeleting;
}

bool is_for_less(const Job& job) { return job.type == JobType::kDeleteSnapshot || job.type == JobType::kRecover; }

// As often as the file system is full and the reserve has something to give.
template <typename Attempt>
std::invoke_result_t<const Attempt&> retried_with(const SpaceReserve& reserve, const Attempt& attempt) {
  auto outcome = attempt();
  while (!outcome && outcome.error().code == ErrorCode::kNoSpace && reserve.give()) {
    outcome = attempt();
  }
  return outcome;
}

class SqliteStore final : public service::StateStore {
 public:
  SqliteStore(Path folder, std::optional<StateLock> lock, std::unique_ptr<Connection> connection)
      : folder_(std::move(folder)), reserve_(folder_), lock_(std::move(lock)), connection_(std::move(connection)) {}

  Result<void> add_collection(const Collection& collection) override {
    return begin([&](auto& database) { return store::add_collection(database, collection); });
  }
  Result<void> update_collection(const Collection& collection) override {
    return begin([&](auto& database) { return store::update_collection(database, collection); });
  }
  Result<void> remove_collection(const CollectionId& id) override {
    return end([&](auto& database) { return store::remove_collection(database, id); });
  }
  Result<Collection> collection(const CollectionId& id) override {
    return connection_->read([&](auto& database) { return read_collection(database, id); });
  }
  Result<std::vector<Collection>> collections() override {
    return connection_->read(
        [](auto& database) { return Result<std::vector<Collection>>(read_collections(database)); });
  }

  Result<void> add_snapshot(const Snapshot& snapshot) override {
    return begin([&](auto& database) { return store::add_snapshot(database, snapshot); });
  }
  Result<void> update_snapshot(const Snapshot& snapshot) override {
    const auto work = [&](auto& database) { return store::update_snapshot(database, snapshot); };
    return is_taken_back(snapshot) ? end(work) : begin(work);
  }
  Result<void> remove_snapshot(const SnapshotId& id) override {
    return end([&](auto& database) { return store::remove_snapshot(database, id); });
  }
  Result<Snapshot> snapshot(const SnapshotId& id) override {
    return connection_->read([&](auto& database) { return read_snapshot(database, id); });
  }
  Result<std::vector<Snapshot>> snapshots() override {
    return connection_->read([](auto& database) { return Result<std::vector<Snapshot>>(read_snapshots(database)); });
  }
  Result<void> move_frozen(const Path& from, const Layer& to) override {
    return end([&](auto& database) {
      store::move_frozen(database, from, to);
      return Result<void>();
    });
  }
  Result<void> stamp_frozen(const Path& frozen, const std::optional<FileStamp>& stamp) override {
    return end([&](auto& database) {
      store::stamp_frozen(database, frozen, stamp);
      return Result<void>();
    });
  }
  Result<void> mark_merged(const Path& overlay, bool merged) override {
    return end([&](auto& database) {
      store::mark_merged(database, overlay, merged);
      return Result<void>();
    });
  }

  Result<void> add_job(const Job& job) override {
    const auto work = [&](auto& database) { return store::add_job(database, job); };
    return is_for_less(job) ? end(work) : begin(work);
  }
  Result<void> update_job(const Job& job) override {
    const auto work = [&](auto& database) { return store::update_job(database, job); };
    return is_ended(job.state) ? end(work) : note(work);
  }
  Result<void> finish_job(const Job& job) override {
    return end([&](auto& database) -> Result<void> {
      COHORT_TRY(store::update_job(database, job));
      remove_undo_steps(database, job.id);
      return {};
    });
  }
  Result<void> settle(const JobId& job, const std::vector<Snapshot>& changed,
                      const std::vector<UndoStep>& steps) override {
    return end([&](auto& database) -> Result<void> {
      for (const Snapshot& snapshot : changed) COHORT_TRY(store::update_snapshot(database, snapshot));
      remove_undo_steps(database, job);
      for (const UndoStep& step : steps) COHORT_TRY(store::add_undo_step(database, job, step.kind, step.subject));
      return {};
    });
  }

  Result<Job> job(const JobId& id) override {
    return connection_->read([&](auto& database) { return read_job(database, id); });
  }
  Result<std::vector<Job>> jobs() override {
    return connection_->read([](auto& database) { return Result<std::vector<Job>>(read_jobs(database)); });
  }
  // Whoever may read may cancel.
  Result<void> request_cancel(const JobId& id) override {
    return with_reserve(
        [&] { return connection_->change([&](auto& database) { return store::request_cancel(database, id); }); });
  }
  Result<bool> is_cancel_requested(const JobId& id) override {
    return connection_->read([&](auto& database) { return store::is_cancel_requested(database, id); });
  }

  Result<UndoStep> add_undo_step(const JobId& job, UndoKind kind, const std::string& subject) override {
    const auto work = [&](auto& database) { return store::add_undo_step(database, job, kind, subject); };
    return kind == UndoKind::kDeleteSnapshot ? end(work) : begin(work);
  }
  Result<void> remove_undo_step(const UndoStep& step) override {
    return end([&](auto& database) {
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
  using OutcomeOf = std::invoke_result_t<const Work&, SQLite::Database&>;

  // A change that may have to be taken back: only while there is room for that.
  template <typename Work>
  OutcomeOf<Work> begin(const Work& work) {
    COHORT_TRY(check_writable());
    COHORT_TRY(reserve_.fill());
    return connection_->change(work);
  }

  // A change that nothing depends on: it takes no room from those that take back.
  template <typename Work>
  OutcomeOf<Work> note(const Work& work) {
    COHORT_TRY(check_writable());
    return connection_->change(work);
  }

  // A change that ends something, takes it back or makes room: it may use what is kept for it.
  template <typename Work>
  OutcomeOf<Work> end(const Work& work) {
    COHORT_TRY(check_writable());
    return with_reserve([&] { return connection_->change(work); });
  }

  template <typename Attempt>
  std::invoke_result_t<const Attempt&> with_reserve(const Attempt& attempt) {
    return retried_with(reserve_, attempt);
  }

  [[nodiscard]] Result<void> check_writable() const {
    if (lock_) {
      return {};
    }
    return fail(ErrorCode::kInvalidState, "The state in \"{}\" is open for reading only.", folder_.string());
  }

  Path folder_;
  SpaceReserve reserve_;
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
  // Whoever looks for what fills the file system needs room for SQLite's index.
  COHORT_ASSIGN(auto connection, retried_with(SpaceReserve(state), [&] {
                  return is_there ? open_database(path, Access::kRead, uri) : open_empty();
                }));
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
  COHORT_ASSIGN(auto connection,
                retried_with(SpaceReserve(state), [&] { return open_database(path, Access::kWrite, uri); }));
  return std::make_unique<SqliteStore>(state, std::move(lock), std::move(connection));
}

}  // namespace

Result<std::unique_ptr<service::StateStore>> open_sqlite_store(const Path& state, Access access,
                                                               const std::string& uri) {
  return access == Access::kRead ? open_for_reading(state, uri) : open_for_writing(state, uri);
}

}  // namespace cohort::store
