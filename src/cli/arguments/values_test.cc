#include "cli/arguments/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cohort::cli {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1024ULL * 1024;

TEST(ParseRate, UnitsAreBinaryInEveryUsualSpelling) {
  EXPECT_EQ(parse_rate("1048576").value_or(0), kMiB);
  for (const char* text : {"50M", "50m", "50MB", "50MiB", "50MiB/s", "50M/s"}) {
    EXPECT_EQ(parse_rate(text).value_or(0), 50 * kMiB) << text;
  }
  EXPECT_EQ(parse_rate("1.5G").value_or(0), 1536 * kMiB);
}

TEST(ParseRate, NamesTheValueThatIsNoRate) {
  for (const char* text : {"", "fast", "0", "-5M", "5X", "5Mi", "1e400", "nan", "99999999T", "5 M"}) {
    const auto rate = parse_rate(text);
    ASSERT_FALSE(rate) << text;
    EXPECT_EQ(rate.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(rate.error().message, HasSubstr(std::string("\"") + text + "\""));
  }
}

TEST(ParseDuration, KnowsSecondsMinutesAndHours) {
  EXPECT_EQ(parse_duration("30").value(), std::chrono::seconds(30));
  EXPECT_EQ(parse_duration("30s").value(), std::chrono::seconds(30));
  EXPECT_EQ(parse_duration("1.5m").value(), std::chrono::seconds(90));
  EXPECT_EQ(parse_duration("5min").value(), std::chrono::minutes(5));
  EXPECT_EQ(parse_duration("1h").value(), std::chrono::hours(1));
}

TEST(ParseDuration, NamesTheValueThatIsNoDuration) {
  for (const char* text : {"", "soon", "0", "-5s", "5x", "5 s", "nan", "1e9", "9999h", "s", "true"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(duration.error().message, HasSubstr(std::string("\"") + text + "\""));
  }
}

TEST(ParseNames, FirstEqualsSignDivides) {
  const auto names = parse_names({"db=db2", "web=a=b"});
  ASSERT_TRUE(names);
  EXPECT_EQ(names->at("db"), "db2");
  EXPECT_EQ(names->at("web"), "a=b");
}

TEST(ParseNames, RefusesHalfAPairAndTwoNamesForOneMachine) {
  for (const char* pair : {"db", "=x", "db="}) {
    EXPECT_FALSE(parse_names({pair})) << pair;
  }
  const auto twice = parse_names({"db=a", "db=b"});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("\"db\""));
}

TEST(ParseTrusted, TakesKindsOfRefusalAndNamesWhatIsNone) {
  const auto trusted = parse_trusted({"host-path", "host-device", "host-path"});
  ASSERT_TRUE(trusted);
  EXPECT_EQ(*trusted, (std::set{RefusalKind::kHostDevice, RefusalKind::kHostPath}));
  const auto unknown = parse_trusted({"host-path", "all"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("\"all\""));
}

TEST(ParseFolder, IsAbsoluteWithoutSlashAtItsEnd) {
  EXPECT_EQ(parse_folder("/backup/shop/").value_or(Path{}), "/backup/shop");
  EXPECT_EQ(parse_folder("/backup/../srv/./x").value_or(Path{}), "/srv/x");
  EXPECT_EQ(parse_folder("shop").value_or(Path{}), std::filesystem::current_path() / "shop");
  EXPECT_EQ(parse_folder("/").value_or(Path{}), "/");
  EXPECT_FALSE(parse_folder(""));
}

TEST(ParseTime, TakesWhatIsNotSaidForTheLatest) {
  const auto read = [](const std::string& text) {
    const auto time = parse_time(text);
    return time ? format_utc(*time) : std::string("refused");
  };
  EXPECT_EQ(read("2026-01-31"), "2026-01-31T23:59:59.999999Z");
  EXPECT_EQ(read("2026-01-31 12:30"), "2026-01-31T12:30:59.999999Z");
  EXPECT_EQ(read("2026-01-31T12:30:15"), "2026-01-31T12:30:15.999999Z");
  EXPECT_EQ(read("2026-01-31T12:30:15.25Z"), "2026-01-31T12:30:15.250000Z");
  EXPECT_EQ(read("2026-01-31T12:30:15.123456Z"), "2026-01-31T12:30:15.123456Z");
  for (const std::string text :
       {"", "now", "2026-02-31", "2026-01-31 25:00", "2026-01", "31.01.2026", "2026-01-31 12"}) {
    EXPECT_EQ(read(text), "refused") << text;
  }
}

TEST(ParseDisks, TakesTheLastSlash) {
  const auto disks = parse_disks({"a/b/vda", "web/vdb"});
  ASSERT_TRUE(disks);
  EXPECT_EQ((*disks)[0].machine, "a/b");
  EXPECT_EQ((*disks)[1].target, "vdb");
}

}  // namespace
}  // namespace cohort::cli
