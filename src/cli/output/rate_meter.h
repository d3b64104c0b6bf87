// How fast something goes, from how far it was when.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"

namespace cohort::cli {

// The average over the last ten seconds: fast enough to follow, slow enough to read.
class RateMeter {
 public:
  // `done` is the whole amount so far; less than before means that something new began.
  void add(SteadyTime now, std::uint64_t done);
  // Bytes per second; nothing before half a second has been seen.
  [[nodiscard]] std::optional<std::uint64_t> rate() const;
  // Until `total` is done, at that rate; nothing if it does not move.
  [[nodiscard]] std::optional<std::chrono::seconds> time_left(std::uint64_t total) const;

 private:
  struct Sample {
    SteadyTime time;
    std::uint64_t done = 0;
  };
  std::deque<Sample> samples_;
};

}  // namespace cohort::cli
