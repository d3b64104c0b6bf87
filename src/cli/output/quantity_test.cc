#include "cli/output/quantity.h"

#include <gtest/gtest.h>

namespace cohort::cli {
namespace {

TEST(FormatBytes, UsesTheUnitThatReadsBest) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(2ULL << 30U), "2.0 GiB");
  EXPECT_EQ(format_bytes(UINT64_MAX), "16.0 EiB");
}

TEST(FormatBytes, NeverShows1024OfAUnit) { EXPECT_EQ(format_bytes((1ULL << 20U) - 1), "1.0 MiB"); }

TEST(FormatDuration, KeepsThreeDigits) {
  EXPECT_EQ(format_duration(Microseconds{850}), "0.85 ms");
  EXPECT_EQ(format_duration(Microseconds{18'240}), "18.2 ms");
  EXPECT_EQ(format_duration(Microseconds{2'000'000}), "2000 ms");
  EXPECT_EQ(format_duration(Microseconds{12'300'000}), "12.3 s");
}

TEST(FormatWait, GrowsFromSecondsToHours) {
  EXPECT_EQ(format_wait(std::chrono::seconds{45}), "45 s");
  EXPECT_EQ(format_wait(std::chrono::seconds{200}), "3 min 20 s");
  EXPECT_EQ(format_wait(std::chrono::seconds{7500}), "2 h 5 min");
}

TEST(FormatTime, IsInUtcWithMilliseconds) {
  EXPECT_EQ(format_time(WallTime{Microseconds{1'769'903'999'123'456}}), "2026-01-31 23:59:59.123 UTC");
}

}  // namespace
}  // namespace cohort::cli
