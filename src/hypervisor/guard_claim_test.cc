#include "hypervisor/guard_claim.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "base/temporary_folder.h"

namespace cohort::hypervisor {
namespace {

const GuardClaim::Machine kOne{MachineId::generate(), "one"};
const GuardClaim::Machine kTwo{MachineId::generate(), "two"};
const GuardClaim::Machine kThree{MachineId::generate(), "three"};

class GuardClaimTest : public testing::Test {
 protected:
  Result<GuardClaim> acquire(std::vector<GuardClaim::Machine> machines, Milliseconds patience) {
    return GuardClaim::acquire(folder_.path() / "claims", std::move(machines), patience);
  }
  void remove_left() { GuardClaim::remove_left(folder_.path() / "claims"); }
  [[nodiscard]] std::ptrdiff_t files() const {
    std::error_code ignored;
    return std::distance(std::filesystem::directory_iterator(folder_.path() / "claims", ignored), {});
  }
  // A process that holds the machine, as far as it can.
  pid_t hold(const GuardClaim::Machine& machine) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    const pid_t holder = ::fork();
    if (holder == 0) {
      const auto held = acquire({machine}, Milliseconds(0));
      static_cast<void>(::write(ends[1], held ? "y" : "n", 1));
      ::pause();
      ::_exit(0);
    }
    char answer = 0;
    EXPECT_EQ(::read(ends[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    return holder;
  }
  static void kill(pid_t holder) {
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
  }

  TemporaryFolder folder_;
};

TEST_F(GuardClaimTest, MachinesOfOthersAreNotWaitedFor) {
  const auto first = acquire({kOne, kTwo}, Milliseconds(0));
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_TRUE(acquire({kThree}, Milliseconds(0)));
  EXPECT_TRUE(acquire({}, Milliseconds(0)));
}

TEST_F(GuardClaimTest, AMachineHasOneGuardAtATime) {
  const auto first = acquire({kOne, kTwo}, Milliseconds(0));
  ASSERT_TRUE(first);
  const auto second = acquire({kTwo, kThree}, Milliseconds(50));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  EXPECT_NE(second.error().message.find("\"two\""), std::string::npos);
  // What it had got before it failed is free again.
  EXPECT_TRUE(acquire({kThree}, Milliseconds(0)));
}

TEST_F(GuardClaimTest, WaitsForTheOneBefore) {
  auto first = acquire({kOne}, Milliseconds(0));
  ASSERT_TRUE(first);
  std::optional<GuardClaim> held(std::move(*first));
  std::jthread letting_go([&held] {
    std::this_thread::sleep_for(Milliseconds(100));
    held.reset();
  });
  const auto second = acquire({kOne}, std::chrono::seconds(30));
  EXPECT_TRUE(second) << second.error().describe();
}

// Killed, it cannot give anything up itself.
TEST_F(GuardClaimTest, EndsWithItsProcess) {
  const pid_t holder = hold(kOne);
  EXPECT_EQ(acquire({kOne}, Milliseconds(0)).error().code, ErrorCode::kInUse);
  kill(holder);
  EXPECT_TRUE(acquire({kOne}, Milliseconds(0)));
}

TEST_F(GuardClaimTest, LeavesNothingWhenItIsGivenUp) {
  ASSERT_TRUE(acquire({kOne, kTwo}, Milliseconds(0)));
  EXPECT_EQ(files(), 0);
}

TEST_F(GuardClaimTest, RemovesWhatAKilledProcessHasLeftAndNothingThatIsHeld) {
  remove_left();
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "claims"));
  kill(hold(kOne));
  const pid_t holder = hold(kTwo);
  std::ofstream(folder_.path() / "claims/mine") << "x";
  EXPECT_EQ(files(), 3);
  remove_left();
  EXPECT_EQ(files(), 2);
  EXPECT_EQ(acquire({kTwo}, Milliseconds(0)).error().code, ErrorCode::kInUse);
  kill(holder);
}

// It has the file open that the one before removes.
TEST_F(GuardClaimTest, IsHeldByOneAloneAlsoWhenItWasWaitedFor) {
  for (int round = 0; round < 20; ++round) {
    auto first = acquire({kOne}, Milliseconds(0));
    ASSERT_TRUE(first);
    std::optional<GuardClaim> held(std::move(*first));
    std::jthread letting_go([&held] {
      std::this_thread::sleep_for(Milliseconds(30));
      held.reset();
    });
    std::jthread tidying([this] {
      for (int i = 0; i < 200; ++i) remove_left();
    });
    const auto second = acquire({kOne}, std::chrono::seconds(30));
    ASSERT_TRUE(second) << second.error().describe();
    ASSERT_EQ(acquire({kOne}, Milliseconds(0)).error().code, ErrorCode::kInUse);
    ASSERT_EQ(files(), 1);
  }
}

TEST_F(GuardClaimTest, StrangersCannotReachTheLocks) {
  ASSERT_TRUE(acquire({kOne}, Milliseconds(0)));
  struct stat info {};
  ASSERT_EQ(::stat((folder_.path() / "claims").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0700U);
  ASSERT_EQ(::chmod((folder_.path() / "claims").c_str(), 0777), 0);
  EXPECT_EQ(acquire({kOne}, Milliseconds(0)).error().code, ErrorCode::kPermission);
}

TEST_F(GuardClaimTest, DoesNotFollowALinkInPlaceOfTheFolder) {
  std::filesystem::create_directory(folder_.path() / "elsewhere");
  std::filesystem::create_directory_symlink(folder_.path() / "elsewhere", folder_.path() / "claims");
  EXPECT_FALSE(acquire({kOne}, Milliseconds(0)));
}

}  // namespace
}  // namespace cohort::hypervisor
