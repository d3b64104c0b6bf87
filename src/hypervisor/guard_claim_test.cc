#include "hypervisor/guard_claim.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace cohort::hypervisor {
namespace {

const MachineId kOne = MachineId::generate();
const MachineId kTwo = MachineId::generate();
const MachineId kThree = MachineId::generate();

TEST(GuardClaimTest, MachinesOfOthersAreNotWaitedFor) {
  const auto first = GuardClaim::acquire({kOne, kTwo}, Milliseconds(0));
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_TRUE(GuardClaim::acquire({kThree}, Milliseconds(0)));
  EXPECT_TRUE(GuardClaim::acquire({}, Milliseconds(0)));
}

TEST(GuardClaimTest, AMachineHasOneGuardAtATime) {
  const auto first = GuardClaim::acquire({kOne, kTwo}, Milliseconds(0));
  ASSERT_TRUE(first);
  const auto second = GuardClaim::acquire({kTwo, kThree}, Milliseconds(50));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  EXPECT_NE(second.error().message.find(kTwo.str()), std::string::npos);
  // What it had got before it failed is free again.
  EXPECT_TRUE(GuardClaim::acquire({kThree}, Milliseconds(0)));
}

TEST(GuardClaimTest, WaitsForTheOneBefore) {
  auto first = GuardClaim::acquire({kOne}, Milliseconds(0));
  ASSERT_TRUE(first);
  std::optional<GuardClaim> held(std::move(*first));
  std::jthread letting_go([&held] {
    std::this_thread::sleep_for(Milliseconds(100));
    held.reset();
  });
  const auto second = GuardClaim::acquire({kOne}, std::chrono::seconds(30));
  EXPECT_TRUE(second) << second.error().describe();
}

}  // namespace
}  // namespace cohort::hypervisor
