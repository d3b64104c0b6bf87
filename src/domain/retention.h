// Which of many points in time are kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace cohort {

enum class RetentionRule { kLast, kDaily, kWeekly, kMonthly };
[[nodiscard]] std::string_view to_string(RetentionRule rule);  // "last", "daily", "weekly", "monthly"

// How many each rule keeps; 0: the rule keeps none.
struct Retention {
  std::uint64_t last = 0;     // the newest
  std::uint64_t daily = 0;    // the newest of each of the last days that have any
  std::uint64_t weekly = 0;   // of each week; weeks begin on Monday
  std::uint64_t monthly = 0;  // of each month

  [[nodiscard]] bool keeps_any() const { return last + daily + weekly + monthly > 0; }
};

// For each instant the rules that keep it; none: it is not kept. Days, weeks and months are those of UTC. If any rule
// keeps any, the newest is kept.
// REQUIRES: the newest first.
[[nodiscard]] std::vector<std::vector<RetentionRule>> kept_by(const Retention& retention,
                                                              const std::vector<WallTime>& instants);

}  // namespace cohort
