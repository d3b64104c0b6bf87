// A clock that stands still until it is told.
#pragma once

#include "base/clock.h"

namespace cohort::http {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return {}; }
  [[nodiscard]] SteadyTime steady() const override { return now_; }
  void pass(std::chrono::seconds time) { now_ += time; }

 private:
  SteadyTime now_{std::chrono::hours(1)};
};

}  // namespace cohort::http
