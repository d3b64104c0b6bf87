#include "hypervisor/pauses.h"

#include <gtest/gtest.h>

#include <thread>

namespace cohort::hypervisor {
namespace {

WallTime at(int microseconds) { return WallTime(Microseconds(microseconds)); }

class PauseLogTest : public testing::Test {
 protected:
  const MachineId machine_ = MachineId::generate();
  PauseLog log_{{machine_}};
};

TEST_F(PauseLogTest, KnowsThePauseThatHasBegunAndEnded) {
  log_.hear(machine_, "STOP", at(10));
  EXPECT_FALSE(log_.has_resumed(machine_));
  EXPECT_FALSE(log_.pause_of(machine_, Milliseconds(1)));
  log_.hear(machine_, "RESUME", at(35));
  EXPECT_TRUE(log_.has_resumed(machine_));
  const auto pause = log_.pause_of(machine_, Milliseconds(1));
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->length(), Microseconds(25));
}

TEST_F(PauseLogTest, TellsTheLastOfSeveralPauses) {
  for (const int begin : {10, 20}) {
    log_.hear(machine_, "STOP", at(begin));
    log_.hear(machine_, "RESUME", at(begin + 5));
  }
  EXPECT_EQ(log_.pause_of(machine_, Milliseconds(1))->stopped, at(20));
}

TEST_F(PauseLogTest, TakesNoPauseThatBeganBeforeTheWatch) {
  log_.hear(machine_, "RESUME", at(5));
  EXPECT_FALSE(log_.pause_of(machine_, Milliseconds(1)));
  EXPECT_TRUE(log_.has_resumed(machine_));
}

TEST_F(PauseLogTest, IgnoresOtherMachinesAndOtherEvents) {
  log_.hear(MachineId::generate(), "STOP", at(1));
  log_.hear(machine_, "STOP", at(2));
  log_.hear(machine_, "SHUTDOWN", at(3));
  EXPECT_FALSE(log_.pause_of(machine_, Milliseconds(1)));
  EXPECT_FALSE(log_.pause_of(MachineId::generate(), Milliseconds(1)));
  EXPECT_FALSE(log_.has_resumed(machine_));
}

TEST_F(PauseLogTest, WaitsForTheEndOfAPause) {
  log_.hear(machine_, "STOP", at(1));
  const std::jthread qemu([this] {
    std::this_thread::sleep_for(Milliseconds(20));
    log_.hear(machine_, "RESUME", at(2));
  });
  EXPECT_TRUE(log_.pause_of(machine_, std::chrono::seconds(10)));
}

}  // namespace
}  // namespace cohort::hypervisor
