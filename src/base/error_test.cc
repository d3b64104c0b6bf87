#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/result.h"

namespace cohort {
namespace {

TEST(Error, NamesOfCodesAreReadBack) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    EXPECT_EQ(error_code_from(to_string(static_cast<ErrorCode>(code))), static_cast<ErrorCode>(code));
  }
}

TEST(Error, UnknownNameIsInternal) { EXPECT_EQ(error_code_from("no such code"), ErrorCode::kInternal); }

TEST(Error, DescribeHoldsCauseAndContext) {
  const Error error = Error{ErrorCode::kIo, "The disk cannot be read.", "EIO", {}}.with_context("copying vda");
  EXPECT_EQ(error.describe(), "The disk cannot be read. (EIO) [while copying vda]");
}

TEST(Error, SystemErrorsMapToCodes) {
  EXPECT_EQ(system_error(ENOENT, "x").code, ErrorCode::kNotFound);
  EXPECT_EQ(system_error(EEXIST, "x").code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(system_error(EDQUOT, "x").code, ErrorCode::kNoSpace);
  EXPECT_EQ(system_error(EROFS, "x").code, ErrorCode::kPermission);
  EXPECT_EQ(system_error(EIO, "x").code, ErrorCode::kIo);
}

TEST(Error, SystemErrorsOfTheStorageNameTheRemedy) {
  for (const int number : {ENOSPC, EDQUOT, EROFS, EIO, ESTALE, ENOTCONN}) {
    EXPECT_GT(system_error(number, "It failed.").message.size(), sizeof("It failed.")) << number;
  }
  EXPECT_EQ(system_error(ENOENT, "It failed.").message, "It failed.");
}

Result<int> half(int number) {
  if (number % 2 != 0) {
    return fail(ErrorCode::kInvalidArgument, "{} is odd", number);
  }
  return number / 2;
}

Result<int> quarter(int number) {
  COHORT_ASSIGN(const int first, half(number));
  COHORT_TRY(half(first));
  return half(first);
}

TEST(Result, MacrosHandErrorsOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
}

}  // namespace
}  // namespace cohort
