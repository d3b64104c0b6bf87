#include "domain/retention.h"

#include <functional>
#include <optional>

#include "domain/named_value.h"

namespace cohort {
namespace {

constexpr std::array<NamedValue<RetentionRule>, 4> kRules{{
    {RetentionRule::kLast, "last"},
    {RetentionRule::kDaily, "daily"},
    {RetentionRule::kWeekly, "weekly"},
    {RetentionRule::kMonthly, "monthly"},
}};

std::int64_t day_of(WallTime instant) {
  return std::chrono::floor<std::chrono::days>(instant).time_since_epoch().count();
}

// The first of January 1970 was a Thursday.
std::int64_t week_of(WallTime instant) {
  const std::int64_t day = day_of(instant) + 3;
  return day >= 0 ? day / 7 : -((6 - day) / 7);
}

std::int64_t month_of(WallTime instant) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(instant));
  return int{date.year()} * 12 + static_cast<int>(unsigned{date.month()});
}

// The period that an instant is in, by a number of its own.
using Period = std::function<std::int64_t(std::size_t index)>;

void keep(RetentionRule rule, std::uint64_t count, const Period& period,
          std::vector<std::vector<RetentionRule>>& kept) {
  std::optional<std::int64_t> last;
  for (std::size_t i = 0; i < kept.size() && count > 0; ++i) {
    const std::int64_t here = period(i);
    if (last == here) continue;
    last = here;
    kept[i].push_back(rule);
    --count;
  }
}

}  // namespace

std::string_view to_string(RetentionRule rule) { return name_of(kRules, rule); }

std::vector<std::vector<RetentionRule>> kept_by(const Retention& retention, const std::vector<WallTime>& instants) {
  std::vector<std::vector<RetentionRule>> kept(instants.size());
  keep(
      RetentionRule::kLast, retention.last, [](std::size_t i) { return static_cast<std::int64_t>(i); }, kept);
  keep(
      RetentionRule::kDaily, retention.daily, [&](std::size_t i) { return day_of(instants[i]); }, kept);
  keep(
      RetentionRule::kWeekly, retention.weekly, [&](std::size_t i) { return week_of(instants[i]); }, kept);
  keep(
      RetentionRule::kMonthly, retention.monthly, [&](std::size_t i) { return month_of(instants[i]); }, kept);
  return kept;
}

}  // namespace cohort
