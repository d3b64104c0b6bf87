// Reading a request step by step, as COHORT_ASSIGN does for results: the first step that fails refuses the request.
#pragma once

#include <utility>

#include "base/result.h"

// `Refused` is the protocol's own unexpected value, whatever is in scope under that name.
#define COHORT_READ(declaration, expression)                                  \
  auto COHORT_CONCAT(cohort_read_, __LINE__) = (expression);                  \
  if (!COHORT_CONCAT(cohort_read_, __LINE__)) {                               \
    return Refused(std::move(COHORT_CONCAT(cohort_read_, __LINE__)).error()); \
  }                                                                           \
  declaration = *std::move(COHORT_CONCAT(cohort_read_, __LINE__))
