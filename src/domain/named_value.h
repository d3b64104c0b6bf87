// Tables of enumerators and their stable names.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "base/result.h"

namespace cohort {

template <typename Enum>
struct NamedValue {
  Enum value;
  std::string_view name;
};

template <typename Enum, std::size_t N>
[[nodiscard]] std::string_view name_of(const std::array<NamedValue<Enum>, N>& table, Enum value) {
  const auto* found = std::ranges::find(table, value, &NamedValue<Enum>::value);
  return found == table.end() ? "unknown" : found->name;
}

// kCorrupt if there is no such name: it was read from a store or a package that this version cannot have written.
template <typename Enum, std::size_t N>
[[nodiscard]] Result<Enum> value_of(const std::array<NamedValue<Enum>, N>& table, std::string_view name,
                                    std::string_view what) {
  const auto* found = std::ranges::find(table, name, &NamedValue<Enum>::name);
  if (found == table.end()) return fail(ErrorCode::kCorrupt, "\"{}\" is no {}.", name, what);
  return found->value;
}

}  // namespace cohort
