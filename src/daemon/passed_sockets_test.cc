#include "daemon/passed_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace cohort::daemon {
namespace {

using ::testing::HasSubstr;

enum class Listens { kNo, kYes };

UniqueFd bound(int family, Listens listens = Listens::kYes) {
  UniqueFd made(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  address.ss_family = static_cast<sa_family_t>(family);
  // Unix: without a name, one is chosen.
  const socklen_t size = family == AF_UNIX ? sizeof(sa_family_t) : sizeof(sockaddr_in);
  // NOLINTNEXTLINE(*-reinterpret-cast): the system's way
  EXPECT_EQ(::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  if (listens == Listens::kYes) {
    EXPECT_EQ(::listen(made.get(), 1), 0);
  }
  return made;
}

std::string refusal(std::string_view name, UniqueFd socket) {
  PassedSockets sockets;
  const auto added = sockets.add(name, std::move(socket));
  return added ? "" : added.error().message;
}

TEST(PassedSockets, AreSortedByTheirNames) {
  PassedSockets sockets;
  ASSERT_TRUE(sockets.add("http", bound(AF_INET)));
  ASSERT_TRUE(sockets.add("http", bound(AF_INET)));
  ASSERT_TRUE(sockets.add("https", bound(AF_INET)));
  ASSERT_TRUE(sockets.add("command", bound(AF_UNIX)));
  EXPECT_EQ(sockets.http.size(), 2U);
  EXPECT_EQ(sockets.https.size(), 1U);
  EXPECT_TRUE(sockets.status.empty());
  EXPECT_TRUE(sockets.command.is_open());
}

TEST(PassedSockets, AreRefusedWhereTheyAreNoneOfThese) {
  EXPECT_THAT(refusal("cohortd.socket", bound(AF_INET)),
              HasSubstr("\"cohortd.socket\" was passed: FileDescriptorName="));
  EXPECT_THAT(refusal("http", bound(AF_UNIX)), HasSubstr("is no TCP socket"));
  EXPECT_THAT(refusal("command", bound(AF_INET)), HasSubstr("is no Unix socket"));
  EXPECT_THAT(refusal("https", bound(AF_INET, Listens::kNo)), HasSubstr("that listens"));
  EXPECT_THAT(refusal("http", UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC))), HasSubstr("is no TCP socket"));
}

TEST(PassedSockets, AreTwoForTheCommandNever) {
  PassedSockets sockets;
  ASSERT_TRUE(sockets.add("command", bound(AF_UNIX)));
  EXPECT_THAT(sockets.add("command", bound(AF_UNIX)).error().message, HasSubstr("Two sockets"));
}

TEST(PassedSockets, AreNoneWithoutAServiceManager) {
  const auto taken = PassedSockets::take();
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->http.empty() && taken->https.empty() && taken->status.empty() && !taken->command.is_open());
}

}  // namespace
}  // namespace cohort::daemon
