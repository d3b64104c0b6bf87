#include "base/clock.h"

#include <fmt/chrono.h>

#include <cstdio>
#include <ctime>

namespace cohort {

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<Microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

std::string format_utc(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t count = seconds.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&count, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", parts, (time - seconds).count());
}

Result<WallTime> parse_utc(std::string_view text) {
  const auto refuse = [&] { return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a time in UTC.", text); };
  std::tm parts{};
  int micros = 0;
  int end = 0;
  const std::string copy(text.substr(0, 40));
  const int read = std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ%n", &parts.tm_year, &parts.tm_mon,
                               &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &micros, &end);
  if (read != 7 || text.size() != 27 || end != 27 || parts.tm_year < 1970) return refuse();
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const auto seconds = std::chrono::seconds(timegm(&parts));
  const WallTime time{seconds + Microseconds(micros)};
  if (format_utc(time) != text) return refuse();  // the 31st of February, negative numbers, …
  return time;
}

}  // namespace cohort
