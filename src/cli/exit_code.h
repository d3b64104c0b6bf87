// What the program's exit status says. Scripts branch on it: a number never changes its meaning.
#pragma once

#include <array>
#include <string_view>

#include "base/error.h"

namespace cohort::cli {

inline constexpr int kExitDone = 0;

struct ExitCodeRow {
  ErrorCode code;
  int exit_code;
  std::string_view meaning;  // for the manual
};

// The whole table, in the order of the numbers.
[[nodiscard]] const std::array<ExitCodeRow, 14>& exit_codes();
[[nodiscard]] int exit_code(ErrorCode code);

}  // namespace cohort::cli
