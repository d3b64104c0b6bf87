// The tables, one family per source file. All of these run inside a transaction of Connection and may throw
// SQLite::Exception or UnreadableValue, which it turns into errors.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/collection.h"
#include "domain/job.h"
#include "domain/snapshot.h"
#include "domain/undo_step.h"

namespace cohort::store {

// collections.cc
[[nodiscard]] Result<void> add_collection(SQLite::Database& database, const Collection& collection);
[[nodiscard]] Result<void> update_collection(SQLite::Database& database, const Collection& collection);
[[nodiscard]] Result<void> remove_collection(SQLite::Database& database, const CollectionId& id);
[[nodiscard]] Result<Collection> read_collection(SQLite::Database& database, const CollectionId& id);
[[nodiscard]] std::vector<Collection> read_collections(SQLite::Database& database);

// snapshots.cc
[[nodiscard]] Result<void> add_snapshot(SQLite::Database& database, const Snapshot& snapshot);
[[nodiscard]] Result<void> update_snapshot(SQLite::Database& database, const Snapshot& snapshot);
[[nodiscard]] Result<void> remove_snapshot(SQLite::Database& database, const SnapshotId& id);
[[nodiscard]] Result<Snapshot> read_snapshot(SQLite::Database& database, const SnapshotId& id);
[[nodiscard]] std::vector<Snapshot> read_snapshots(SQLite::Database& database);
void move_frozen(SQLite::Database& database, const Path& from, const Layer& to);
void stamp_frozen(SQLite::Database& database, const Path& frozen, const std::optional<FileStamp>& stamp);
void mark_merged(SQLite::Database& database, const Path& overlay, bool merged);

// jobs.cc
[[nodiscard]] Result<void> add_job(SQLite::Database& database, const Job& job);
[[nodiscard]] Result<void> update_job(SQLite::Database& database, const Job& job);
[[nodiscard]] Result<Job> read_job(SQLite::Database& database, const JobId& id);
[[nodiscard]] std::vector<Job> read_jobs(SQLite::Database& database);
[[nodiscard]] Result<void> request_cancel(SQLite::Database& database, const JobId& id);
[[nodiscard]] Result<bool> is_cancel_requested(SQLite::Database& database, const JobId& id);

// undo_steps.cc
[[nodiscard]] Result<UndoStep> add_undo_step(SQLite::Database& database, const JobId& job, UndoKind kind,
                                             const std::string& subject);
void remove_undo_step(SQLite::Database& database, const UndoStep& step);
void remove_undo_steps(SQLite::Database& database, const JobId& job);
[[nodiscard]] std::vector<UndoStep> read_undo_steps(SQLite::Database& database, const JobId& job);

}  // namespace cohort::store
