#include "store/rows.h"

namespace cohort::store {

std::string Row::text() { return statement_.getColumn(next_++).getString(); }

std::optional<std::string> Row::optional_text() {
  const SQLite::Column column = statement_.getColumn(next_++);
  return column.isNull() ? std::nullopt : std::optional(column.getString());
}

std::int64_t Row::integer() { return statement_.getColumn(next_++).getInt64(); }

std::optional<std::int64_t> Row::optional_integer() {
  const SQLite::Column column = statement_.getColumn(next_++);
  return column.isNull() ? std::nullopt : std::optional(column.getInt64());
}

std::optional<WallTime> Row::optional_time() {
  const auto microseconds = optional_integer();
  return microseconds ? std::optional(WallTime(Microseconds(*microseconds))) : std::nullopt;
}

}  // namespace cohort::store
