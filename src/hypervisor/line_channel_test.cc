#include "hypervisor/line_channel.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <thread>

namespace cohort::hypervisor {
namespace {

using Event = LineChannel::Event;

class LineChannelTest : public testing::Test {
 protected:
  LineChannelTest() {
    std::array<int, 2> ends{};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data());
    ours_.emplace(UniqueFd(ends[0]));
    theirs_.emplace(UniqueFd(ends[1]));
  }
  static SteadyTime in(Milliseconds time) { return std::chrono::steady_clock::now() + time; }

  std::optional<LineChannel> ours_;
  std::optional<LineChannel> theirs_;
};

TEST_F(LineChannelTest, HearsLinesHoweverTheyArrive) {
  ASSERT_TRUE(theirs_->say("first\nsec"));
  EXPECT_EQ(ours_->hear(std::nullopt).line, "first");
  EXPECT_EQ(ours_->hear(in(Milliseconds(5))).event, Event::kTimeout);
  ASSERT_TRUE(theirs_->say("ond\n"));
  EXPECT_EQ(ours_->hear(in(std::chrono::seconds(1))).line, "second");
}

TEST_F(LineChannelTest, WaitsUntilTheGivenTimeAndNotLess) {
  const auto until = in(Milliseconds(30));
  EXPECT_EQ(ours_->hear(until).event, Event::kTimeout);
  EXPECT_GE(std::chrono::steady_clock::now(), until);
}

TEST_F(LineChannelTest, TellsTheEndOnlyAfterTheLastLine) {
  ASSERT_TRUE(theirs_->say("last\nhalf"));
  theirs_.reset();
  EXPECT_EQ(ours_->hear(std::nullopt).line, "last");
  EXPECT_EQ(ours_->hear(std::nullopt).event, Event::kEnd);
}

TEST_F(LineChannelTest, FailsWithoutASignalWhenNobodyListens) {
  theirs_.reset();
  const auto said = ours_->say("hello\n");
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace cohort::hypervisor
