// The life of the state file before its first use: making, checking, migrating.
#pragma once

#include <memory>
#include <string>

#include "store/connection.h"
#include "store/migrations.h"
#include "store/sqlite_store.h"

namespace cohort::store {

// Makes a file of the newest schema at `path`, which must not exist: it is there whole and synced, or not at all.
[[nodiscard]] Result<void> create_database(const Path& path, const std::string& uri,
                                           const std::vector<Migration>& steps = migrations());

// An empty state that lives as long as its connection, and no longer.
[[nodiscard]] Result<std::unique_ptr<Connection>> open_empty();

// Opens the file at `path` and checks it as open_sqlite_store says; with kWrite it is also read through (quick_check)
// and brought to the newest schema. kNotFound if it is not there.
[[nodiscard]] Result<std::unique_ptr<Connection>> open_database(const Path& path, Access access, const std::string& uri,
                                                                const std::vector<Migration>& steps = migrations());

}  // namespace cohort::store
