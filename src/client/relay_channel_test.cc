#include "client/relay_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/temporary_folder.h"

namespace cohort::client {
namespace {

TEST(RelayedCommand, IsReadAsItWasWritten) {
  const RelayedCommand command{{"snapshot", "take", "", "a b\nc", "ü"}, true, 132};
  const auto read = parse_command(to_content(command));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->arguments, command.arguments);
  EXPECT_TRUE(read->err_is_terminal);
  EXPECT_EQ(read->width, 132U);
}

TEST(RelayedCommand, IsRefusedWhenItIsNone) {
  for (const std::string content : {"", "1", "1\0", "1\0x80\0",
                                    "1\0"
                                    "80",
                                    "1\0"
                                    "80\0cut"}) {
    EXPECT_FALSE(parse_command(content)) << content;
  }
  EXPECT_FALSE(
      parse_command(std::string("1\0"
                                "80\0cut",
                                8)));
  EXPECT_FALSE(
      parse_command(std::string("1\0"
                                "8x\0",
                                5)));
}

class RelayChannelTest : public ::testing::Test {
 protected:
  RelayChannelTest() {
    auto listening = RelayChannel::listen(folder.path());
    EXPECT_TRUE(listening);
    listener = std::move(*listening);
    near = RelayChannel::connect(folder.path());
    far.emplace(UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  TemporaryFolder folder;
  UniqueFd listener;
  std::optional<RelayChannel> near, far;
};

TEST_F(RelayChannelTest, CarriesFramesOfAnyLengthAndADescriptor) {
  const UniqueFd sent(::open(folder.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string content(RelayChannel::kLongestFrame, 'x');
  std::jthread sending([&] {
    EXPECT_TRUE(near->send(FrameKind::kCommand, content, sent.get()));
    EXPECT_TRUE(near->send(FrameKind::kInterrupt, ""));
    near.reset();
  });
  UniqueFd received;
  const auto first = far->receive(&received);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->kind, FrameKind::kCommand);
  EXPECT_EQ((*first)->content, content);
  struct stat ours {
  }, theirs{};
  ASSERT_EQ(::fstat(sent.get(), &ours), 0);
  ASSERT_EQ(::fstat(received.get(), &theirs), 0);
  EXPECT_EQ(ours.st_ino, theirs.st_ino);
  const auto second = far->receive();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->kind, FrameKind::kInterrupt);
  const auto end = far->receive();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

TEST_F(RelayChannelTest, RefusesWhatIsTooLongOrCutOff) {
  const std::string too_long("c\xFF\xFF\xFF\x7F", 5);
  ASSERT_EQ(::send(near->descriptor(), too_long.data(), too_long.size(), 0), 5);
  const auto refused = far->receive();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  const std::string cut("c\x09\0\0\0abc", 8);
  ASSERT_EQ(::send(far->descriptor(), cut.data(), cut.size(), 0), 8);
  far.reset();
  EXPECT_FALSE(near->receive());
  EXPECT_FALSE(near->send(FrameKind::kInterrupt, ""));
}

TEST_F(RelayChannelTest, IsForItsUserAloneAndTakesTheSocketOfADeadOneOver) {
  struct stat status {};
  ASSERT_EQ(::stat((folder.path() / "cohortd.socket").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  listener.reset();
  EXPECT_FALSE(RelayChannel::connect(folder.path())) << "nobody listens";
  EXPECT_TRUE(RelayChannel::listen(folder.path()));
}

TEST(RelayChannel, WorksInFoldersWithLongPaths) {
  const TemporaryFolder folder;
  const Path deep = folder.path() / std::string(200, 'd');
  std::filesystem::create_directory(deep);
  const auto listener = RelayChannel::listen(deep);
  ASSERT_TRUE(listener);
  EXPECT_TRUE(RelayChannel::connect(deep));
  EXPECT_FALSE(RelayChannel::connect(folder.path() / "none"));
}

}  // namespace
}  // namespace cohort::client
