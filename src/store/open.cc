#include "store/open.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "store/rows.h"

namespace cohort::store {
namespace {

// PRAGMA application_id: "CHRT". It tells a state file from any other SQLite file.
constexpr int kApplicationId = 0x43485254;

Path with_suffix(const Path& path, const char* suffix) { return Path(path.native() + suffix); }

Failure errno_failure(const Path& path, const char* what) {
  const int number = errno;
  return Failure{system_error(number, fmt::format("The state file \"{}\" cannot be {}.", path.string(), what))};
}

Result<void> remove_leftovers(const Path& unfinished) {
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    COHORT_TRY(remove_file(with_suffix(unfinished, suffix)));
  }
  return {};
}

void fill(const Path& path, const std::string& uri, const std::vector<Migration>& steps) {
  Connection connection(path);
  SQLite::Database& database = connection.database();
  database.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
  migrate(database, steps);
  execute(database, "INSERT INTO setting (name, value) VALUES ('uri', ?)", uri);
  // Kept in the file. Closing the connection puts all of it into the one file that is renamed.
  database.exec("PRAGMA journal_mode = WAL");
}

// A log without its database would be played into a new one.
Result<void> check_no_orphan(const Path& path) {
  struct stat info {};
  if (::lstat(with_suffix(path, "-wal").c_str(), &info) == 0 && info.st_size > 0) {
    return Failure{damaged(path, "the file is missing, but its write-ahead log is there")};
  }
  return {};
}

// What SQLite would take for a new database, or answer with a riddle. The file itself is not opened: closing it would
// drop the POSIX locks of this process's other connections.
Result<void> check_file(const Path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return errno_failure(path, "looked at");
  }
  if (!S_ISREG(info.st_mode)) {
    return Failure{damaged(path, "it is not a regular file")};
  }
  if (info.st_size == 0) {
    return Failure{damaged(path, "it is empty")};
  }
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0 ||
      ::faccessat(AT_FDCWD, path.parent_path().c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    // Also for reading: SQLite's log and its index lie beside the file.
    return errno_failure(path, "used by this user, who must be able to write it and its folder even to read it");
  }
  return {};
}

Result<void> check_contents(Connection& connection) {
  auto check = prepare(connection.database(), "PRAGMA quick_check(1)");
  if (!check.executeStep()) {
    return Failure{damaged(connection.path(), "it cannot be checked")};
  }
  const std::string found = Row(check).text();
  if (found != "ok") {
    return Failure{damaged(connection.path(), found)};
  }
  return {};
}

// SQLite fills the last page up with zeros when the file is cut inside it. With a log that may be the end of an
// interrupted checkpoint, which the log mends; without one it is damage.
Result<void> check_length(Connection& connection) {
  struct stat file {};
  struct stat log {};
  const bool has_log = ::stat(with_suffix(connection.path(), "-wal").c_str(), &log) == 0 && log.st_size > 0;
  if (has_log || ::stat(connection.path().c_str(), &file) != 0) {
    return {};
  }
  SQLite::Database& database = connection.database();
  const std::int64_t pages = database.execAndGet("PRAGMA page_count").getInt64();
  const std::int64_t page_size = database.execAndGet("PRAGMA page_size").getInt64();
  if (file.st_size < pages * page_size) {
    return Failure{damaged(connection.path(), fmt::format("{} bytes are missing", pages * page_size - file.st_size))};
  }
  return {};
}

Result<void> check_version(Connection& connection, int newest) {
  SQLite::Database& database = connection.database();
  const int application = database.execAndGet("PRAGMA application_id").getInt();
  const int version = schema_version(database);
  if (application != kApplicationId || version <= 0) {
    return Failure{damaged(connection.path(), "it is not a state file of Cohort")};
  }
  if (version > newest) {
    return fail(ErrorCode::kUnsupported,
                "The state file \"{}\" was written by a newer version of Cohort (schema {}, this one knows {}): "
                "install that version.",
                connection.path().string(), version, newest);
  }
  return {};
}

Result<void> check_uri(Connection& connection, const std::string& uri) {
  auto query = prepare(connection.database(), "SELECT value FROM setting WHERE name = 'uri'");
  if (!query.executeStep()) {
    return Failure{damaged(connection.path(), "the hypervisor's address is missing")};
  }
  const std::string stored = Row(query).text();
  if (stored != uri) {
    return fail(ErrorCode::kInvalidArgument,
                "The state in \"{}\" belongs to the hypervisor \"{}\", not to \"{}\": connect to the former, or name "
                "another state folder.",
                connection.path().parent_path().string(), stored, uri);
  }
  return {};
}

Result<void> prepare_for_writing(Connection& connection, const std::vector<Migration>& steps) {
  COHORT_TRY(check_length(connection));
  COHORT_TRY(check_contents(connection));
  connection.database().exec("PRAGMA journal_mode = WAL");
  migrate(connection.database(), steps);
  return {};
}

Result<void> check_for_reading(Connection& connection, int newest) {
  if (schema_version(connection.database()) < newest) {
    return fail(ErrorCode::kInvalidState,
                "The state file \"{}\" was written by an older version of Cohort: run any changing command once to "
                "bring it up to date.",
                connection.path().string());
  }
  return {};
}

Result<void> make_ready(Connection& connection, Access access, const std::string& uri,
                        const std::vector<Migration>& steps) {
  COHORT_TRY(check_version(connection, steps.back().version));
  COHORT_TRY(access == Access::kWrite ? prepare_for_writing(connection, steps)
                                      : check_for_reading(connection, steps.back().version));
  return check_uri(connection, uri);
}

}  // namespace

Result<void> create_database(const Path& path, const std::string& uri, const std::vector<Migration>& steps) {
  COHORT_TRY(check_no_orphan(path));
  const Path unfinished = with_suffix(path, ".new");
  COHORT_TRY(remove_leftovers(unfinished));
  COHORT_TRY(create_file(unfinished, "", 0600));
  COHORT_TRY(without_exceptions(unfinished, [&]() -> Result<void> {
    fill(unfinished, uri, steps);
    return {};
  }));
  COHORT_TRY(sync_file(unfinished));
  if (::rename(unfinished.c_str(), path.c_str()) != 0) {
    return errno_failure(path, "put in place");
  }
  return sync_directory(path.parent_path());
}

Result<std::unique_ptr<Connection>> open_empty() {
  const Path memory = ":memory:";
  return without_exceptions(memory, [&]() -> Result<std::unique_ptr<Connection>> {
    auto connection = std::make_unique<Connection>(memory);
    migrate(connection->database(), migrations());
    return connection;
  });
}

Result<std::unique_ptr<Connection>> open_database(const Path& path, Access access, const std::string& uri,
                                                  const std::vector<Migration>& steps) {
  COHORT_TRY(check_file(path));
  return without_exceptions(path, [&]() -> Result<std::unique_ptr<Connection>> {
    auto connection = std::make_unique<Connection>(path);
    COHORT_TRY(make_ready(*connection, access, uri, steps));
    return connection;
  });
}

}  // namespace cohort::store
