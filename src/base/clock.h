// Time: the host's wall clock for records, the monotonic clock for deadlines.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cohort {

using Microseconds = std::chrono::microseconds;
using Milliseconds = std::chrono::milliseconds;
// The host's wall clock (CLOCK_REALTIME), in microseconds as QEMU's events give it.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] SteadyTime steady() const override;
};

// "2026-01-31T23:59:59.123456Z" (ISO 8601, UTC).
[[nodiscard]] std::string format_utc(WallTime time);
// Reads what format_utc wrote. Fails with kInvalidArgument.
[[nodiscard]] Result<WallTime> parse_utc(std::string_view text);

}  // namespace cohort
