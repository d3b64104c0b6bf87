#include "domain/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cohort {
namespace {

using std::chrono::days;
using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Wednesday, 31 December 2025, 22:00 UTC, and so many hours earlier.
WallTime before(int count) {
  return WallTime(std::chrono::sys_days{std::chrono::year{2025} / 12 / 31}) + hours(22) - hours(count);
}

std::vector<std::size_t> kept(const Retention& retention, const std::vector<WallTime>& instants) {
  std::vector<std::size_t> found;
  const auto rules = kept_by(retention, instants);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!rules[i].empty()) found.push_back(i);
  }
  return found;
}

std::vector<WallTime> nights(int count) {
  std::vector<WallTime> instants;
  for (int i = 0; i < count; ++i) instants.push_back(before(24 * i));
  return instants;
}

TEST(Retention, KeepsTheNewest) {
  EXPECT_THAT(kept({.last = 2}, nights(5)), ElementsAre(0, 1));
  EXPECT_THAT(kept({.last = 9}, nights(2)), ElementsAre(0, 1));
  EXPECT_THAT(kept({}, nights(5)), IsEmpty());
  EXPECT_THAT(kept({.last = 1}, {}), IsEmpty());
}

TEST(Retention, KeepsTheNewestOfEachDayThatHasAny) {
  // Twice on one day, then on both sides of a midnight.
  const std::vector<WallTime> instants{before(0), before(3), before(46), before(47)};
  EXPECT_THAT(kept({.daily = 2}, instants), ElementsAre(0, 2));
  EXPECT_THAT(kept({.daily = 3}, instants), ElementsAre(0, 2, 3));
}

TEST(Retention, WeeksBeginOnMonday) {
  // Wednesday, Tuesday, Monday | Sunday … Monday | Sunday.
  EXPECT_THAT(kept({.weekly = 3}, nights(12)), ElementsAre(0, 3, 10));
}

TEST(Retention, MonthsAreThoseOfTheCalendar) { EXPECT_THAT(kept({.monthly = 3}, nights(70)), ElementsAre(0, 31, 61)); }

TEST(Retention, OneCanBeKeptBySeveralRules) {
  const auto rules = kept_by({.last = 1, .daily = 2, .monthly = 1}, nights(3));
  EXPECT_THAT(rules[0], ElementsAre(RetentionRule::kLast, RetentionRule::kDaily, RetentionRule::kMonthly));
  EXPECT_THAT(rules[1], ElementsAre(RetentionRule::kDaily));
  EXPECT_THAT(rules[2], IsEmpty());
  EXPECT_EQ(to_string(rules[0][0]), "last");
}

TEST(Retention, TimesBeforeTheEpochHaveWeeksToo) {
  const WallTime epoch{};
  EXPECT_THAT(kept({.weekly = 9}, {epoch, epoch - days(3), epoch - days(4), epoch - days(10), epoch - days(11)}),
              ElementsAre(0, 2, 4));
}

}  // namespace
}  // namespace cohort
