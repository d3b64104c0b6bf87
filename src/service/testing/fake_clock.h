// A clock that stands still but for what a test, and each look at it, adds.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace cohort::service {

// Threads: safe to use from several at once.
class FakeClock final : public Clock {
 public:
  // Each reading is one microsecond later than the last, so that events have an order.
  [[nodiscard]] WallTime wall() const override { return WallTime(Microseconds(kStart + ++passed_)); }
  [[nodiscard]] SteadyTime steady() const override { return SteadyTime(Microseconds(++passed_)); }

  void advance(Milliseconds by) { passed_ += Microseconds(by).count(); }

 private:
  static constexpr std::int64_t kStart = 1'770'000'000'000'000;  // 2026-02-02T02:40:00Z
  mutable std::atomic<std::int64_t> passed_{0};
};

}  // namespace cohort::service
