#include "base/clock.h"

#include <gtest/gtest.h>

namespace cohort {
namespace {

TEST(Clock, TimesAreReadBack) {
  const WallTime time{Microseconds(1'769'903'999'123'456)};
  EXPECT_EQ(format_utc(time), "2026-01-31T23:59:59.123456Z");
  EXPECT_EQ(parse_utc(format_utc(time)).value(), time);
  EXPECT_EQ(parse_utc(format_utc(WallTime{})).value(), WallTime{});
}

TEST(Clock, OtherTextIsRefused) {
  for (const char* text : {"", "2026-01-31", "2026-02-31T23:59:59.123456Z", "2026-01-31T23:59:59.123456",
                           "2026-01-31T23:59:59.12345Z0", "-026-01-31T23:59:59.123456Z"}) {
    EXPECT_FALSE(parse_utc(text)) << text;
  }
}

TEST(Clock, SteadyTimeDoesNotGoBack) {
  const SystemClock clock;
  const auto before = clock.steady();
  EXPECT_LE(before, clock.steady());
}

}  // namespace
}  // namespace cohort
