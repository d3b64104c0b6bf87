#include "cim/datetime.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace cohort::cim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_time;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::size_t kLength = 25;
constexpr std::size_t kPoint = 14;  // where the '.' is
constexpr std::size_t kSign = 21;   // where '+', '-' or ':' is
constexpr std::int64_t kMaxDays = 99999999;

Failure no_datetime(std::string_view text) {
  return fail(ErrorCode::kInvalidArgument,
              "\"{}\" is no datetime: write yyyymmddhhmmss.mmmmmm+utc or ddddddddhhmmss.mmmmmm:000.", text);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::int64_t number(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c == '*' ? 0 : c - '0');
  return value;
}

// Where the asterisks begin; they reach to the end of the microseconds and begin at a field. Nothing if they do not.
std::optional<std::size_t> first_unknown(std::string_view text, bool is_interval) {
  const std::size_t first = std::min(text.find('*'), kSign);
  for (std::size_t i = 0; i < kSign; ++i) {
    const bool is_right = i == kPoint ? text[i] == '.' : i < first ? is_digit(text[i]) : text[i] == '*';
    if (!is_right) return std::nullopt;
  }
  const std::size_t whole = is_interval ? 8 : 4;
  const bool is_field = first > kPoint || first == 0 || (first >= whole && first % 2 == 0);
  return is_field ? std::optional(first) : std::nullopt;
}

struct Fields {
  std::int64_t year, month, day, hour, minute, second, micros;
};

// The smallest value stands for a month or day that is not known.
std::optional<microseconds> since_epoch(const Fields& f) {
  const year_month_day date{year(static_cast<int>(f.year)),
                            month(static_cast<unsigned>(std::max<std::int64_t>(f.month, 1))),
                            std::chrono::day(static_cast<unsigned>(std::max<std::int64_t>(f.day, 1)))};
  if (!date.ok() || f.hour > 23 || f.minute > 59 || f.second > 59) return std::nullopt;
  return sys_days(date).time_since_epoch() + hours(f.hour) + minutes(f.minute) + seconds(f.second) +
         microseconds(f.micros);
}

std::optional<microseconds> length_of(std::string_view text) {
  const std::int64_t hour = number(text.substr(8, 2));
  const std::int64_t minute = number(text.substr(10, 2));
  const std::int64_t second = number(text.substr(12, 2));
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return days(number(text.substr(0, 8))) + hours(hour) + minutes(minute) + seconds(second) +
         microseconds(number(text.substr(15, 6)));
}

std::optional<microseconds> point_of(std::string_view text, std::size_t known) {
  const bool has_zero_month = known >= 6 && number(text.substr(4, 2)) == 0;
  const bool has_zero_day = known >= 8 && number(text.substr(6, 2)) == 0;
  if (has_zero_month || has_zero_day) return std::nullopt;
  return since_epoch({number(text.substr(0, 4)), number(text.substr(4, 2)), number(text.substr(6, 2)),
                      number(text.substr(8, 2)), number(text.substr(10, 2)), number(text.substr(12, 2)),
                      number(text.substr(15, 6))});
}

std::string clock_text(microseconds rest) {
  const std::chrono::hh_mm_ss<microseconds> clock(rest);
  return fmt::format("{:02}{:02}{:02}.{:06}", clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace

Result<Datetime> Datetime::parse(std::string_view text) {
  if (text.size() != kLength) return no_datetime(text);
  const char sign = text[kSign];
  const std::string_view zone = text.substr(kSign + 1);
  const bool is_interval = sign == ':';
  const bool has_zone =
      is_interval ? zone == "000" : (sign == '+' || sign == '-') && std::all_of(zone.begin(), zone.end(), is_digit);
  const auto known = first_unknown(text, is_interval);
  if (!has_zone || !known) return no_datetime(text);
  const auto count = is_interval ? length_of(text) : point_of(text, *known);
  if (!count) return no_datetime(text);
  Datetime result;
  result.text_ = text;
  result.is_interval_ = is_interval;
  result.known_ = *known;
  result.offset_ = minutes(is_interval ? 0 : (sign == '-' ? -number(zone) : number(zone)));
  result.count_ = *count - result.offset_;
  return result;
}

Datetime Datetime::at(sys_time<microseconds> time, minutes offset) {
  const auto shown_offset = std::clamp(offset, minutes(-999), minutes(999));
  const sys_time<microseconds> first = sys_days(year(0) / 1 / 1);
  const sys_time<microseconds> last = sys_days(year(9999) / 12 / 31);
  const auto local = std::clamp(time, first + minutes(999), last) + shown_offset;
  const auto day = std::chrono::floor<days>(local);
  const year_month_day date(day);
  Datetime result;
  result.text_ =
      fmt::format("{:04}{:02}{:02}{}{}{:03}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), clock_text(local - day), shown_offset.count() < 0 ? '-' : '+',
                  std::abs(shown_offset.count()));
  result.count_ = (local - shown_offset).time_since_epoch();
  result.offset_ = shown_offset;
  result.known_ = kSign;
  return result;
}

Datetime Datetime::interval(microseconds length) {
  const microseconds longest = days(kMaxDays);
  const microseconds shown = std::clamp(length, microseconds(0), longest);
  const auto whole = std::chrono::floor<days>(shown);
  Datetime result;
  result.text_ = fmt::format("{:08}{}:000", whole.count(), clock_text(shown - whole));
  result.count_ = shown;
  result.known_ = kSign;
  result.is_interval_ = true;
  return result;
}

}  // namespace cohort::cim
