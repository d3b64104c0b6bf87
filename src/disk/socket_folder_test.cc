#include "disk/socket_folder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "base/temporary_folder.h"

namespace cohort::disk {
namespace {

class SocketFolderTest : public testing::Test {
 protected:
  [[nodiscard]] const Path& place() const { return place_.path(); }
  [[nodiscard]] std::ptrdiff_t entries() const {
    return std::distance(std::filesystem::directory_iterator(place()), {});
  }
  // Made by a process that was killed.
  void leave_one() const {
    const pid_t maker = ::fork();
    if (maker == 0) {
      const auto made = SocketFolder::make(place());
      if (made) std::ofstream(made->socket()) << "x";
      ::raise(SIGKILL);
    }
    ::waitpid(maker, nullptr, 0);
  }

  TemporaryFolder place_;
};

TEST_F(SocketFolderTest, IsGoneWithItsObject) {
  {
    auto made = SocketFolder::make(place());
    ASSERT_TRUE(made) << made.error().describe();
    const SocketFolder moved(std::move(*made));
    std::ofstream(moved.socket()) << "x";
    EXPECT_EQ(std::filesystem::status(moved.socket().parent_path()).permissions(), std::filesystem::perms(0700));
    EXPECT_EQ(entries(), 1);
  }
  EXPECT_EQ(entries(), 0);
}

TEST_F(SocketFolderTest, OfAKilledProcessIsRemovedAndNoOther) {
  leave_one();
  leave_one();
  const auto used = SocketFolder::make(place());
  std::filesystem::create_directory(place() / "cohort-of-somebody");
  std::filesystem::create_directory_symlink("cohort-of-somebody", place() / "cohort-nbd-link");
  ASSERT_EQ(entries(), 5);
  SocketFolder::remove_left(place());
  EXPECT_EQ(entries(), 3);
  EXPECT_TRUE(std::filesystem::exists(used->socket().parent_path()));
}

TEST_F(SocketFolderTest, IsThereWhenItWasMadeWhateverOthersRemove) {
  const std::jthread tidying([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) SocketFolder::remove_left(place());
  });
  for (int i = 0; i < 500; ++i) {
    const auto made = SocketFolder::make(place());
    ASSERT_TRUE(made);
    ASSERT_TRUE(std::filesystem::exists(made->socket().parent_path()));
  }
}

TEST_F(SocketFolderTest, SaysThatItCannotBeMade) {
  const auto made = SocketFolder::make(place() / "none");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cohort::disk
