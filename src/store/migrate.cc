#include <string>

#include "store/migrations.h"

namespace cohort::store {

int schema_version(SQLite::Database& database) { return database.execAndGet("PRAGMA user_version").getInt(); }

void migrate(SQLite::Database& database, const std::vector<Migration>& steps) {
  for (const Migration& step : steps) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    if (schema_version(database) >= step.version) {
      continue;
    }
    database.exec(step.sql);
    database.exec("PRAGMA user_version = " + std::to_string(step.version));
    transaction.commit();
  }
}

}  // namespace cohort::store
