#include "cli/exit_code.h"

#include <gtest/gtest.h>

#include <set>

namespace cohort::cli {
namespace {

TEST(ExitCode, EveryErrorCodeHasItsOwnNumberOtherThanDone) {
  std::set<int> numbers;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    numbers.insert(exit_code(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(numbers.size(), static_cast<std::size_t>(ErrorCode::kInternal) + 1);
  EXPECT_FALSE(numbers.contains(kExitDone));
}

// Scripts depend on them.
TEST(ExitCode, NumbersAreThoseOfTheManual) {
  EXPECT_EQ(exit_code(ErrorCode::kInternal), 1);
  EXPECT_EQ(exit_code(ErrorCode::kInvalidArgument), 2);
  EXPECT_EQ(exit_code(ErrorCode::kNotFound), 3);
  EXPECT_EQ(exit_code(ErrorCode::kInUse), 6);
  EXPECT_EQ(exit_code(ErrorCode::kCorrupt), 12);
  EXPECT_EQ(exit_code(ErrorCode::kCancelled), 130);
}

}  // namespace
}  // namespace cohort::cli
