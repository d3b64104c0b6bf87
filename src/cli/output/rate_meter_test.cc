#include "cli/output/rate_meter.h"

#include <gtest/gtest.h>

namespace cohort::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime kBegin{};

TEST(RateMeter, SaysNothingBeforeItHasSeenEnough) {
  RateMeter meter;
  EXPECT_FALSE(meter.rate());
  meter.add(kBegin, 0);
  meter.add(kBegin + milliseconds{100}, 1000);
  EXPECT_FALSE(meter.rate());
  EXPECT_FALSE(meter.time_left(10'000));
}

TEST(RateMeter, GivesRateAndTimeLeft) {
  RateMeter meter;
  meter.add(kBegin, 0);
  meter.add(kBegin + seconds{2}, 2000);
  EXPECT_EQ(meter.rate(), 1000U);
  EXPECT_EQ(meter.time_left(5500), seconds{4});
}

TEST(RateMeter, ForgetsWhatIsLongAgo) {
  RateMeter meter;
  meter.add(kBegin, 0);
  for (int i = 1; i <= 20; ++i) {
    meter.add(kBegin + seconds{i}, i <= 5 ? 1'000'000 * static_cast<std::uint64_t>(i) : 5'000'000);
  }
  EXPECT_EQ(meter.rate(), 0U);
  EXPECT_FALSE(meter.time_left(6'000'000));
}

TEST(RateMeter, BeginsAnewWhenLessIsDoneThanBefore) {
  RateMeter meter;
  meter.add(kBegin, 1'000'000);
  meter.add(kBegin + seconds{1}, 0);
  EXPECT_FALSE(meter.rate());
}

}  // namespace
}  // namespace cohort::cli
