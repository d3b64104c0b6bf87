#include "codec/wsman/xs_time.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace cohort::codec::wsman {
namespace {

using std::chrono::microseconds;

Failure no_time(std::string_view text) {
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is neither a time nor a duration.", text.substr(0, 100));
}

// Takes digits, at most `most`, from the front.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t most) {
  std::int64_t value = 0;
  const char* const end = text.data() + std::min(text.size(), most);
  const auto [stopped, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || text.starts_with('-')) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stopped - text.data()));
  return value;
}

bool take(std::string_view& text, char c) {
  const bool is_there = text.starts_with(c);
  if (is_there) text.remove_prefix(1);
  return is_there;
}

// ".5" is 500000; digits beyond microseconds are dropped.
std::int64_t take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t micros = 0;
  std::int64_t weight = 100000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    micros += weight * (text.front() - '0');
    weight /= 10;
    text.remove_prefix(1);
  }
  return micros;
}

// How many microseconds a designator stands for; 0 for what is none.
std::int64_t unit_of(char designator, bool is_in_time) {
  constexpr std::int64_t kSecond = 1000000;
  if (!is_in_time) return designator == 'D' ? 86400 * kSecond : 0;
  if (designator == 'H') return 3600 * kSecond;
  if (designator == 'M') return 60 * kSecond;
  return designator == 'S' ? kSecond : 0;
}

std::optional<microseconds> read_duration(std::string_view text) {
  bool is_in_time = false;
  std::int64_t total = 0;
  std::int64_t last_unit = std::numeric_limits<std::int64_t>::max();
  if (!take(text, 'P') || text.empty() || text.ends_with('T')) return std::nullopt;
  while (!text.empty()) {
    is_in_time = take(text, 'T') || is_in_time;
    const auto number = take_number(text, 8);
    const std::int64_t fraction = take_fraction(text);
    const std::int64_t unit = text.empty() || !number ? 0 : unit_of(text.front(), is_in_time);
    const bool is_known_zero = number == 0 && !is_in_time && (text.starts_with('Y') || text.starts_with('M'));
    // Each unit once, the largest first: so the sum stays within 64 bits.
    if ((unit == 0 && !is_known_zero) || unit >= last_unit) return std::nullopt;
    if (unit != 0) last_unit = unit;
    total += *number * unit + (unit == 1000000 ? fraction : 0);
    text.remove_prefix(1);
  }
  return microseconds(total);
}

// What stands behind the time: nothing and Z are UTC.
std::optional<std::int64_t> read_zone(std::string_view text) {
  if (text.empty() || text == "Z") return 0;
  const bool is_behind = text.front() == '-';
  if (!is_behind && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  const bool has_colon = take(text, ':');
  const auto minutes = take_number(text, 2);
  if (!hours || !has_colon || !minutes || !text.empty()) return std::nullopt;
  return (is_behind ? -1 : 1) * (*hours * 60 + *minutes);
}

}  // namespace

Result<cim::Datetime> read_time(std::string_view text) {
  if (const auto own = cim::Datetime::parse(text)) return *own;
  if (text.starts_with('P')) {
    const auto length = read_duration(text);
    return length ? Result<cim::Datetime>(cim::Datetime::interval(*length)) : no_time(text);
  }
  std::string digits;
  std::string_view rest = text;
  for (const char separator : {'-', '-', 'T', ':', ':', '\0'}) {
    const auto number = take_number(rest, digits.empty() ? 4 : 2);
    if (!number || (separator != '\0' && !take(rest, separator))) return no_time(text);
    digits += fmt::format("{:0{}}", *number, digits.empty() ? 4 : 2);
  }
  const std::int64_t micros = take_fraction(rest);
  const auto zone = read_zone(rest);
  if (!zone) return no_time(text);
  return cim::Datetime::parse(
      fmt::format("{}.{:06}{}{:03}", digits, micros, *zone < 0 ? '-' : '+', *zone < 0 ? -*zone : *zone));
}

std::string to_xs_time(const cim::Datetime& time) {
  const std::string text =
      time.is_interval() ? time.text() : cim::Datetime::at(std::chrono::sys_time<microseconds>(time.count())).text();
  const auto part = [&](std::size_t begin, std::size_t length) { return text.substr(begin, length); };
  const bool has_fraction = text.find_first_not_of("0*", 15) < 21;
  const std::string fraction = has_fraction ? "." + part(15, 6) : "";
  if (!time.is_interval()) {
    return part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(8, 2) + ":" + part(10, 2) + ":" + part(12, 2) +
           fraction + "Z";
  }
  const std::chrono::hh_mm_ss clock(time.count() % std::chrono::days(1));
  return fmt::format("P{}DT{}H{}M{}{}S", time.count() / std::chrono::days(1), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), fraction);
}

}  // namespace cohort::codec::wsman
