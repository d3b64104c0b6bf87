// A value, or what a client is told instead.
#pragma once

#include <fmt/format.h>

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"
#include "cim/operation.h"

namespace cohort::provider {

template <typename T>
using Outcome = tl::expected<T, cim::OperationFailed>;

template <typename... Args>
[[nodiscard]] tl::unexpected<cim::OperationFailed> failed(cim::Status status, fmt::format_string<Args...> format,
                                                          Args&&... args) {
  return tl::unexpected(cim::OperationFailed{status, fmt::format(format, std::forward<Args>(args)...), {}});
}

[[nodiscard]] inline tl::unexpected<cim::OperationFailed> failed(const Error& error) {
  return tl::unexpected(cim::OperationFailed{cim::status_of(error.code), error.describe(), {}});
}

}  // namespace cohort::provider
