#include "store/connection.h"

#include <sqlite3.h>

#include <exception>

#include "base/kill_point.h"
#include "store/rows.h"

namespace cohort::store {
namespace {

struct Meaning {
  int sqlite;  // primary result code, https://www.sqlite.org/rescode.html
  ErrorCode code;
  const char* what;  // after "The state file "…" "
};

constexpr Meaning kMeanings[] = {
    {SQLITE_BUSY, ErrorCode::kInUse, "is kept busy by another process: try again"},
    {SQLITE_LOCKED, ErrorCode::kInUse, "is kept busy by another process: try again"},
    {SQLITE_FULL, ErrorCode::kNoSpace, "cannot grow, the file system is full: make room and try again"},
    {SQLITE_READONLY, ErrorCode::kPermission, "cannot be written by this user"},
    {SQLITE_PERM, ErrorCode::kPermission, "cannot be used by this user"},
    {SQLITE_AUTH, ErrorCode::kPermission, "cannot be used by this user"},
    {SQLITE_CANTOPEN, ErrorCode::kIo, "cannot be opened"},
    {SQLITE_IOERR, ErrorCode::kIo, "cannot be read or written: look into the kernel's log for the disk's errors"},
    {SQLITE_NOMEM, ErrorCode::kIo, "cannot be used, memory is short"},
};

Error error_of(const SQLite::Exception& exception, const Path& path) {
  // SQLite's way of saying that its index beside the file cannot grow.
  const bool is_full = exception.getExtendedErrorCode() == SQLITE_IOERR_SHMSIZE;
  const int code = is_full ? SQLITE_FULL : exception.getErrorCode() & 0xff;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
    return damaged(path, exception.what());
  }
  for (const Meaning& meaning : kMeanings) {
    if (meaning.sqlite == code) {
      Error error = make_error(meaning.code, "The state file \"{}\" {}.", path.string(), meaning.what);
      error.cause = fmt::format("SQLite {}: {}", exception.getExtendedErrorCode(), exception.what());
      return error;
    }
  }
  Error error = make_error(ErrorCode::kInternal, "The state file \"{}\" cannot be used.", path.string());
  error.cause = fmt::format("SQLite {}: {}", exception.getExtendedErrorCode(), exception.what());
  return error;
}

}  // namespace

Error damaged(const Path& path, std::string found) {
  Error error = make_error(
      ErrorCode::kCorrupt,
      "The state file \"{0}\" is damaged, and nothing was changed: keep a copy of its folder, then restore the file "
      "from a backup, or save what can be read with: sqlite3 \"{0}\" .recover | sqlite3 \"{0}.recovered\".",
      path.string());
  error.cause = std::move(found);
  return error;
}

Error error_of_current_exception(const Path& path) {
  try {
    throw;
  } catch (const SQLite::Exception& exception) {
    return error_of(exception, path);
  } catch (const UnreadableValue& exception) {
    return damaged(path, exception.what());
  } catch (const std::exception& exception) {
    Error error = make_error(ErrorCode::kInternal, "The state file \"{}\" cannot be used.", path.string());
    error.cause = exception.what();
    return error;
  }
}

// Not OPEN_CREATE: a file that is not there is never made by opening it.
Connection::Connection(const Path& path)
    : path_(path), database_(path.native(), SQLite::OPEN_READWRITE | SQLite::OPEN_FULLMUTEX, kBusyTimeoutMs) {
  database_.exec("PRAGMA foreign_keys = ON");
  database_.exec("PRAGMA synchronous = FULL");
}

void Connection::commit(SQLite::Transaction& transaction) {
  kill_point("store.before_commit");
  transaction.commit();
  kill_point("store.after_commit");
}

void Connection::note_failure(const Error& error) {
  if (error.code == ErrorCode::kIo || error.code == ErrorCode::kCorrupt) {
    broken_ = error;
    broken_->context.emplace_back("nothing is changed after an earlier failure of the state file");
  }
}

}  // namespace cohort::store
