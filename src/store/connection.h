// One connection to a state file: transactions, and SQLite's failures in the words of Error.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace cohort::store {

// How long a call waits for another process that writes.
constexpr int kBusyTimeoutMs = 5000;

// The error for the exception that is being handled; for use in a catch-all only. `path` is the state file.
[[nodiscard]] Error error_of_current_exception(const Path& path);
// The state file is damaged: what was found, and the remedy.
[[nodiscard]] Error damaged(const Path& path, std::string found);

// Runs `work`, which may throw; nothing is thrown further.
template <typename Work>
[[nodiscard]] auto without_exceptions(const Path& path, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (...) {
    return Failure{error_of_current_exception(path)};
  }
}

// Threads: safe to call from several at once; one transaction runs at a time.
class Connection {
 public:
  // Opens an existing file, ready for use, without looking at what is in it. Throws SQLite::Exception.
  explicit Connection(const Path& path);

  [[nodiscard]] const Path& path() const { return path_; }
  // For the time before several threads use it.
  [[nodiscard]] SQLite::Database& database() { return database_; }

  // Runs `work(database)`, which gives a Result, on one consistent view of the file.
  template <typename Work>
  [[nodiscard]] auto read(const Work& work) {
    using Outcome = std::invoke_result_t<Work, SQLite::Database&>;
    const std::lock_guard lock(mutex_);
    return without_exceptions(path_, [&]() -> Outcome {
      const SQLite::Transaction view(database_);
      return work(database_);
    });
  }

  // Runs `work(database)` and makes what it did durable; nothing of it is kept if it fails or throws. After a failed
  // write or sync the file's state is not known any more, so every further change is refused until it is opened anew.
  template <typename Work>
  [[nodiscard]] auto change(const Work& work) {
    using Outcome = std::invoke_result_t<Work, SQLite::Database&>;
    const std::lock_guard lock(mutex_);
    if (broken_) {
      return Outcome(Failure{*broken_});
    }
    auto outcome = without_exceptions(path_, [&]() -> Outcome { return in_transaction<Outcome>(work); });
    if (!outcome) {
      note_failure(outcome.error());
    }
    return outcome;
  }

 private:
  template <typename Outcome, typename Work>
  Outcome in_transaction(const Work& work) {
    // IMMEDIATE: it waits for other writers here, where waiting is possible, and not in the middle.
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    auto outcome = work(database_);
    if (outcome) {
      commit(transaction);
    }
    return outcome;
  }

  void commit(SQLite::Transaction& transaction);
  void note_failure(const Error& error);

  Path path_;
  std::mutex mutex_;
  SQLite::Database database_;
  std::optional<Error> broken_;
};

}  // namespace cohort::store
