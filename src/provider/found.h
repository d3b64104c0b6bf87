// Instances that are looked up in the state.
#pragma once

#include <optional>
#include <utility>

#include "base/result.h"

namespace cohort::provider {

// What is not there is nothing, instead of an error.
template <typename T>
[[nodiscard]] Result<std::optional<T>> if_found(Result<T> looked_up) {
  if (looked_up) return std::optional<T>(*std::move(looked_up));
  if (looked_up.error().code == ErrorCode::kNotFound) return std::optional<T>();
  return Failure(std::move(looked_up).error());
}

}  // namespace cohort::provider
