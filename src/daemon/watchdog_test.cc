#include "daemon/watchdog.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "base/temporary_folder.h"
#include "base/unique_fd.h"

namespace cohort::daemon {
namespace {

using std::chrono::milliseconds;

// What systemd hears.
class WatchdogTest : public ::testing::Test {
 protected:
  WatchdogTest() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    // NOLINTNEXTLINE(*-reinterpret-cast): the system's way
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~WatchdogTest() override { ::unsetenv("NOTIFY_SOCKET"); }

  // Since the last time; nothing: "".
  std::string heard() {
    std::array<char, 256> text{};
    const auto length = ::recv(socket.get(), text.data(), text.size(), MSG_DONTWAIT);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
  }

  TemporaryFolder folder;
  std::string path = (folder.path() / "notify").string();
  UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST_F(WatchdogTest, SaysThatTheDaemonIsAliveAtEachLook) {
  const Watchdog watchdog(milliseconds(1000), [](milliseconds) { return true; });
  EXPECT_EQ(watchdog.interval(), milliseconds(500));
  for (int look = 0; look < 3; ++look) {
    EXPECT_TRUE(watchdog.look());
    EXPECT_EQ(heard(), "WATCHDOG=1");
  }
  EXPECT_EQ(heard(), "");
}

TEST_F(WatchdogTest, SaysNothingWhileNobodyTakesRequests) {
  bool is_alive = false;
  milliseconds waited{};
  const Watchdog watchdog(milliseconds(1000), [&](milliseconds patience) {
    waited = patience;
    return is_alive;
  });
  EXPECT_FALSE(watchdog.look());
  EXPECT_FALSE(watchdog.look());
  EXPECT_EQ(heard(), "");
  EXPECT_EQ(waited, milliseconds(250)) << "so that it is alive again in time when it was late only";
  is_alive = true;
  EXPECT_TRUE(watchdog.look());
  EXPECT_EQ(heard(), "WATCHDOG=1");
}

TEST_F(WatchdogTest, AsksNobodyWhereSystemdDoesNot) {
  const Watchdog watchdog({}, [](milliseconds) { return false; });
  EXPECT_TRUE(watchdog.look());
  EXPECT_EQ(heard(), "");
  EXPECT_GE(watchdog.interval(), std::chrono::minutes(30));
}

}  // namespace
}  // namespace cohort::daemon
