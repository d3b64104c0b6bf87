// Between the rows of SQLite and the types of the domain.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"

namespace cohort::store {

// A value in the file that this program cannot have written. Connection turns it into kCorrupt; it never leaves store/.
class UnreadableValue : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The value, or UnreadableValue.
template <typename T>
[[nodiscard]] T readable(Result<T> result) {
  if (!result) {
    throw UnreadableValue(result.error().describe());
  }
  return *std::move(result);
}

inline void bind_value(SQLite::Statement& statement, int index, std::string_view value) {
  statement.bind(index, std::string(value));
}
inline void bind_value(SQLite::Statement& statement, int index, const std::string& value) {
  statement.bind(index, value);
}
inline void bind_value(SQLite::Statement& statement, int index, const Path& value) {
  statement.bind(index, value.native());
}
template <typename Tag>
void bind_value(SQLite::Statement& statement, int index, const Id<Tag>& value) {
  statement.bind(index, value.str());
}
template <typename T>
  requires std::is_integral_v<T>
void bind_value(SQLite::Statement& statement, int index, T value) {
  statement.bind(index, static_cast<std::int64_t>(value));
}
template <typename Rep, typename Period>
void bind_value(SQLite::Statement& statement, int index, std::chrono::duration<Rep, Period> value) {
  statement.bind(index, static_cast<std::int64_t>(value.count()));
}
inline void bind_value(SQLite::Statement& statement, int index, WallTime value) {
  bind_value(statement, index, value.time_since_epoch());
}
template <typename T>
void bind_value(SQLite::Statement& statement, int index, const std::optional<T>& value) {
  if (value) {
    bind_value(statement, index, *value);
  } else {
    statement.bind(index);
  }
}

// A statement with its parameters, in their order.
template <typename... Values>
[[nodiscard]] SQLite::Statement prepare(SQLite::Database& database, const char* sql, const Values&... values) {
  SQLite::Statement statement(database, sql);
  [[maybe_unused]] int index = 0;
  (bind_value(statement, ++index, values), ...);
  return statement;
}

// Runs it; the number of rows it changed.
template <typename... Values>
int execute(SQLite::Database& database, const char* sql, const Values&... values) {
  return prepare(database, sql, values...).exec();
}

// The columns of the present row of a statement, taken from left to right.
class Row {
 public:
  explicit Row(SQLite::Statement& statement) : statement_(statement) {}

  [[nodiscard]] std::string text();
  [[nodiscard]] std::optional<std::string> optional_text();
  [[nodiscard]] std::int64_t integer();
  [[nodiscard]] std::optional<std::int64_t> optional_integer();
  [[nodiscard]] std::uint64_t size() { return static_cast<std::uint64_t>(integer()); }
  [[nodiscard]] bool flag() { return integer() != 0; }
  [[nodiscard]] WallTime time() { return WallTime(Microseconds(integer())); }
  [[nodiscard]] std::optional<WallTime> optional_time();
  [[nodiscard]] Path path() { return Path(text()); }
  template <typename IdType>
  [[nodiscard]] IdType id() {
    return readable(IdType::parse(text()));
  }

 private:
  SQLite::Statement& statement_;
  int next_ = 0;
};

}  // namespace cohort::store
