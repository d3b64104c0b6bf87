// The steps that bring a state file to the present schema.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <vector>

namespace cohort::store {

struct Migration {
  int version;      // PRAGMA user_version after it
  const char* sql;  // the text of sql/<version>_*.sql, embedded when the program is built
};

// In ascending order of versions, without gaps from 1. A released one is never changed.
[[nodiscard]] const std::vector<Migration>& migrations();
[[nodiscard]] int schema_version(SQLite::Database& database);

// Runs those that `database` has not seen, each in a transaction of its own. Throws SQLite::Exception.
void migrate(SQLite::Database& database, const std::vector<Migration>& steps);

}  // namespace cohort::store
