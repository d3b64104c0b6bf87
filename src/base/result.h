// Result<T>: a value, or the Error that prevented it. No function of this program throws.
#pragma once

#include <tl/expected.hpp>

#include "base/error.h"

namespace cohort {

template <typename T>
using Result = tl::expected<T, Error>;
using Failure = tl::unexpected<Error>;

// return fail(ErrorCode::kNotFound, "There is no machine \"{}\".", name);
template <typename... Args>
[[nodiscard]] Failure fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Failure{make_error(code, format, std::forward<Args>(args)...)};
}

}  // namespace cohort

// Hands an error on to the caller.
#define COHORT_TRY(expression)                                     \
  do {                                                             \
    if (auto cohort_result_ = (expression); !cohort_result_) {     \
      return ::cohort::Failure{std::move(cohort_result_).error()}; \
    }                                                              \
  } while (false)

#define COHORT_CONCAT_INNER(a, b) a##b
#define COHORT_CONCAT(a, b) COHORT_CONCAT_INNER(a, b)
#define COHORT_ASSIGN_INNER(result, declaration, expression) \
  auto result = (expression);                                \
  if (!result) {                                             \
    return ::cohort::Failure{std::move(result).error()};     \
  }                                                          \
  declaration = *std::move(result)

// COHORT_ASSIGN(auto machine, hypervisor.machine(id));
#define COHORT_ASSIGN(declaration, expression) \
  COHORT_ASSIGN_INNER(COHORT_CONCAT(cohort_assigned_, __LINE__), declaration, expression)
