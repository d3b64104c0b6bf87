// The words of WQL; a part of wql.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cohort::cim {

struct WqlToken {
  enum class Kind { kWord, kString, kNumber, kSymbol, kPath, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;  // of a string: what it means; of a path: what is between the braces
  std::size_t offset = 0;
};

// All words of a query, and kEnd behind them. Fails with kInvalidArgument, with the place.
[[nodiscard]] Result<std::vector<WqlToken>> split_wql(std::string_view query);
[[nodiscard]] Failure wrong_wql(std::size_t offset, std::string_view what);

}  // namespace cohort::cim
