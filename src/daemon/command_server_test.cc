#include "daemon/command_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <latch>
#include <sstream>
#include <thread>

#include "base/user_name.h"
#include "cli/relay.h"
#include "daemon/testing/recording_log.h"
#include "service/testing/package_lab.h"

namespace cohort::daemon {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// More than a wish to stop takes to be heard.
constexpr Milliseconds kHeard{1000};

class CommandServerTest : public ::testing::Test {
 protected:
  CommandServerTest() { std::filesystem::create_directories(state); }

  void start() { server = *CommandServer::start(state, {"fake", lab.store, lab.hypervisor, operations}, log); }

  std::optional<int> carry_out(std::vector<std::string> arguments, const std::string& uri = "fake") {
    arguments.insert(arguments.begin(), {"--connect", uri});
    out.str({});
    err.str({});
    return relay.carry_out({uri, state}, arguments, {out, err, false, 80});
  }

  service::PackageLab lab;  // "shop" with its snapshot "nightly"
  Path state = lab.folder.path() / "state";
  service::Operations operations{lab.hypervisor, lab.store, lab.copier,
                                 std::make_unique<service::FakeGuard>(lab.control), lab.clock};
  RecordingLog log;
  std::unique_ptr<CommandServer> server;
  cli::Relay relay;
  std::ostringstream out, err;
};

TEST_F(CommandServerTest, CarriesCommandsOutWithTheirOutputAndStatus) {
  start();
  EXPECT_EQ(carry_out({"collection", "list"}), 0);
  EXPECT_THAT(out.str(), HasSubstr("shop"));
  EXPECT_EQ(carry_out({"collection", "show", "none"}), 3);
  EXPECT_THAT(err.str(), HasSubstr("There is no collection \"none\""));
  EXPECT_EQ(carry_out({"snapshot", "take", "shop", "--name", "again"}), 0);
  EXPECT_EQ(lab.store.snapshots()->size(), 2U);
  EXPECT_THAT(log.lines(), Contains(HasSubstr("snapshot take shop --name again")));
  EXPECT_EQ(lab.newest_job().owner, user_name(::geteuid())) << "of the other end";
  const Snapshot taken = lab.store.snapshots()->back();
  EXPECT_EQ(lab.newest_job().works_on, (WorksOn{taken.collection, {}}));
}

TEST_F(CommandServerTest, ConvertsASnapshot) {
  start();
  EXPECT_EQ(carry_out({"reference", "convert", "nightly"}), 0) << err.str();
  EXPECT_TRUE(is_reference_point(lab.store.snapshots()->front()));
}

TEST_F(CommandServerTest, GivesRelativePathsTheMeaningThatTheyHaveToTheCommand) {
  start();
  const Path before = std::filesystem::current_path();
  std::filesystem::current_path(lab.folder.path());
  const auto status = carry_out({"export", "nightly", "package", "--format", "raw"});
  std::filesystem::current_path(before);
  EXPECT_EQ(status, 0) << err.str();
  EXPECT_TRUE(std::filesystem::exists(lab.target() / "cohort.json"));
  EXPECT_EQ(std::filesystem::current_path(), before) << "of this process";
}

TEST_F(CommandServerTest, LeavesTheCommandToItselfWhereThereIsNone) {
  EXPECT_EQ(carry_out({"collection", "list"}), std::nullopt);
  start();
  server->stop();
  server.reset();
  EXPECT_EQ(carry_out({"collection", "list"}), std::nullopt);
}

TEST_F(CommandServerTest, RefusesAnotherHypervisor) {
  start();
  EXPECT_EQ(carry_out({"snapshot", "list"}, "qemu:///session"), 2);
  EXPECT_THAT(err.str(), HasSubstr("not with \"qemu:///session\""));
}

TEST_F(CommandServerTest, CancelsTheCommandWhoseUserWantsItToStop) {
  start();
  lab.control.before("copy ", [this] {
    EXPECT_TRUE(relay.interrupt());
    std::this_thread::sleep_for(kHeard);
  });
  EXPECT_EQ(carry_out({"export", "nightly", lab.target(), "--format", "raw"}), 130);
  EXPECT_THAT(err.str(), HasSubstr("Cancelling"));
  EXPECT_FALSE(std::filesystem::exists(lab.target()));
}

TEST_F(CommandServerTest, CancelsACommandThatWentAway) {
  start();
  auto channel = client::RelayChannel::connect(state);
  ASSERT_TRUE(channel);
  const UniqueFd folder(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::latch has_begun(1);
  lab.control.before("copy ", [&] {
    channel.reset();
    has_begun.count_down();
    std::this_thread::sleep_for(kHeard);
  });
  const client::RelayedCommand command{
      {"--connect", "fake", "export", "nightly", lab.target(), "--format", "raw"}, false, 80};
  ASSERT_TRUE(channel->send(client::FrameKind::kCommand, client::to_content(command), folder.get()));
  has_begun.wait();
  while (!is_ended(lab.newest_job().state)) std::this_thread::sleep_for(Milliseconds(5));
  EXPECT_EQ(lab.newest_job().state, JobState::kCancelled);
}

// Even where the socket's own mode lets them in.
TEST_F(CommandServerTest, ServesNobodyButRootAndItsOwnUser) {
  constexpr uid_t kAnother = 54321;
  start();
  const Path socket = state / "cohortd.socket";
  ASSERT_TRUE(std::filesystem::is_socket(socket));
  for (const Path& each : {lab.folder.path(), state, socket}) {
    std::filesystem::permissions(each, std::filesystem::perms::all);
  }
  // The system call is about this thread alone, the library's function about all.
  std::jthread([&] {
    ASSERT_EQ(::syscall(SYS_setresuid, -1, kAnother, -1), 0);
    const auto channel = client::RelayChannel::connect(state);
    ASSERT_TRUE(channel);
    const UniqueFd folder(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    const client::RelayedCommand command{{"--connect", "fake", "collection", "list"}, false, 80};
    // It may be too late already.
    static_cast<void>(channel->send(client::FrameKind::kCommand, client::to_content(command), folder.get()));
    const auto answer = channel->receive();
    EXPECT_TRUE(!answer || !*answer) << (*answer)->content;
  }).join();
  EXPECT_THAT(log.lines(), IsEmpty());
  EXPECT_EQ(carry_out({"collection", "list"}), 0) << "root is served there";
  EXPECT_THAT(out.str(), HasSubstr("shop"));
}

}  // namespace
}  // namespace cohort::daemon
