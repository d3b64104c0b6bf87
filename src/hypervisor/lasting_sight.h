// Looking at something until it has been as it should be for long enough.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace cohort::hypervisor {

// A look may take long, and what was seen is of some moment of it: only a second look that begins late enough after the
// end of the first tells that nothing has changed between.
class LastingSight {
 public:
  explicit LastingSight(Milliseconds long_enough) : long_enough_(long_enough) {}

  // A look that began at `began` has just ended. True once every look has been good for long enough.
  [[nodiscard]] bool note(bool is_good, SteadyTime began) {
    if (!is_good) {
      good_since_ = kNever;
    } else if (good_since_ == kNever) {
      good_since_ = std::chrono::steady_clock::now();
    } else {
      return began - good_since_ >= long_enough_;
    }
    return false;
  }

 private:
  static constexpr SteadyTime kNever = SteadyTime::max();
  Milliseconds long_enough_;
  SteadyTime good_since_ = kNever;
};

}  // namespace cohort::hypervisor
