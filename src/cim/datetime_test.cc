#include "cim/datetime.h"

#include <gtest/gtest.h>

namespace cohort::cim {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

sys_time<microseconds> noon() { return sys_days(2026y / 3 / 1) + 12h + 5us; }

TEST(Datetime, WritesAPointInTimeAsItsClockShowsIt) {
  EXPECT_EQ(Datetime::at(noon()).text(), "20260301120000.000005+000");
  EXPECT_EQ(Datetime::at(noon(), 60min).text(), "20260301130000.000005+060");
  EXPECT_EQ(Datetime::at(noon(), -750min).text(), "20260228233000.000005-750");
}

TEST(Datetime, ReadsWhatItWrites) {
  for (const auto& each : {Datetime::at(noon()), Datetime::at(noon(), -750min), Datetime::interval(36h + 7us)}) {
    const auto read = Datetime::parse(each.text());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, each);
    EXPECT_EQ(read->count(), each.count());
    EXPECT_EQ(read->is_interval(), each.is_interval());
    EXPECT_EQ(read->text(), each.text());
  }
}

TEST(Datetime, TheSameInstantInTwoTimeZonesIsTheSame) {
  EXPECT_EQ(Datetime::at(noon()), Datetime::at(noon(), 60min));
  EXPECT_FALSE(Datetime::at(noon()) == Datetime::at(noon() + 1us));
}

TEST(Datetime, WritesALengthOfTimeWithItsDays) {
  EXPECT_EQ(Datetime::interval(36h + 1s).text(), "00000001120001.000000:000");
  EXPECT_EQ(Datetime::interval(-1s).text(), "00000000000000.000000:000");
  EXPECT_EQ(Datetime::interval(days(100000000)).text(), "99999999000000.000000:000");
}

TEST(Datetime, UnknownFieldsCountAsTheirSmallestValueAndStayUnknown) {
  const auto read = Datetime::parse("2026**********.******+000");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->count(), sys_days(2026y / 1 / 1).time_since_epoch());
  EXPECT_EQ(read->text(), "2026**********.******+000");
  EXPECT_FALSE(*read == Datetime::at(sys_days(2026y / 1 / 1)));
  EXPECT_TRUE(Datetime::parse("20260301120000.123***+000"));
  EXPECT_TRUE(Datetime::parse("**************.******:000"));
}

TEST(Datetime, RefusesWhatIsNone) {
  for (const auto* const text :
       {"", "2026", "20260301120000.000000", "20261301120000.000000+000", "20260230120000.000000+000",
        "20260301240000.000000+000", "20260301120000,000000+000", "20260301120000.000000*000",
        "20260301120000.000000+0 0", "2026030112000*.000000+000", "2026**01120000.000000+000",
        "00000001250000.000000:000", "00000001120000.000000:001", "20260001120000.000000+000"}) {
    EXPECT_FALSE(Datetime::parse(text)) << text;
  }
}

}  // namespace
}  // namespace cohort::cim
