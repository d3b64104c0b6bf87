// Sizes, rates, durations and times for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace cohort::cli {

// "0 B", "1023 B", "1.5 KiB", "2.0 GiB".
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
// "0.85 ms", "18.2 ms", "2000 ms", "12.3 s".
[[nodiscard]] std::string format_duration(Microseconds duration);
// "45 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string format_wait(std::chrono::seconds duration);
// "2026-01-31 23:59:59.123 UTC".
[[nodiscard]] std::string format_time(WallTime time);
// "1 machine", "3 machines".
[[nodiscard]] std::string count_of(std::uint64_t count, const char* singular, const char* plural);

}  // namespace cohort::cli
