#include "cli/output/quantity.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace cohort::cli {

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) {
    return fmt::format("{} B", bytes);
  }
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 1023.95 would be shown as 1024.0 of the smaller unit.
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

std::string format_duration(Microseconds duration) {
  const auto milliseconds = static_cast<double>(duration.count()) / 1000;
  if (milliseconds < 10) {
    return fmt::format("{:.2f} ms", milliseconds);
  }
  if (milliseconds < 100) {
    return fmt::format("{:.1f} ms", milliseconds);
  }
  return milliseconds < 10000 ? fmt::format("{:.0f} ms", milliseconds) : fmt::format("{:.1f} s", milliseconds / 1000);
}

std::string format_wait(std::chrono::seconds duration) {
  const auto seconds = duration.count();
  if (seconds < 60) {
    return fmt::format("{} s", seconds);
  }
  return seconds < 3600 ? fmt::format("{} min {} s", seconds / 60, seconds % 60)
                        : fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
}

std::string format_time(WallTime time) {
  // 2026-01-31T23:59:59.123456Z
  const std::string iso = format_utc(time);
  return fmt::format("{} {} UTC", iso.substr(0, 10), iso.substr(11, 12));
}

std::string count_of(std::uint64_t count, const char* singular, const char* plural) {
  return fmt::format("{} {}", count, count == 1 ? singular : plural);
}

}  // namespace cohort::cli
