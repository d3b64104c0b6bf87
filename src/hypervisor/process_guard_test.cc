// The guard program itself, watching machines of libvirt's test driver (each process has its own of those).
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "hypervisor/libvirt_hypervisor.h"

namespace cohort::hypervisor {
namespace {

constexpr const char* kUri = "test:///default";

class ProcessGuardTest : public testing::Test {
 protected:
  ProcessGuardTest() {
    const auto hypervisor = open_libvirt(kUri).value();
    machine_ = hypervisor->find_machine("test").value().id;
  }

  MachineId machine_;
  std::unique_ptr<service::Guard> guard_ = make_process_guard(kUri, COHORT_GUARD_PROGRAM);
};

TEST_F(ProcessGuardTest, IsCleanWhenTheFenceComesDownInTime) {
  const auto armed = guard_->arm({{machine_}, std::chrono::seconds(30), {}, {}});
  ASSERT_TRUE(armed) << armed.error().describe();
  EXPECT_TRUE((*armed)->raise());
  const auto fired = (*armed)->disarm();
  ASSERT_TRUE(fired) << fired.error().describe();
  EXPECT_FALSE(*fired);
}

TEST_F(ProcessGuardTest, HasFiredWhenTheDeadlinePasses) {
  const auto armed = guard_->arm({{machine_}, Milliseconds(20), {}, {}});
  ASSERT_TRUE(armed);
  EXPECT_TRUE((*armed)->raise());
  std::this_thread::sleep_for(Milliseconds(200));
  const auto fired = (*armed)->disarm();
  ASSERT_TRUE(fired) << fired.error().describe();
  EXPECT_TRUE(*fired);
}

TEST_F(ProcessGuardTest, HasNoDeadlineBeforeTheFenceGoesUp) {
  const auto armed = guard_->arm({{machine_}, Milliseconds(20), {}, {}});
  ASSERT_TRUE(armed);
  std::this_thread::sleep_for(Milliseconds(200));
  const auto fired = (*armed)->disarm();
  ASSERT_TRUE(fired);
  EXPECT_FALSE(*fired);
}

TEST_F(ProcessGuardTest, IsCleanWhenGuestsAreThawedInTime) {
  const auto armed = guard_->arm({{machine_}, std::chrono::seconds(30), {machine_}, std::chrono::seconds(30)});
  ASSERT_TRUE(armed) << armed.error().describe();
  EXPECT_TRUE((*armed)->freeze());
  EXPECT_TRUE((*armed)->raise());
  EXPECT_FALSE((*armed)->disarm().value());
  EXPECT_TRUE((*armed)->thawed());
}

TEST_F(ProcessGuardTest, LetsAProcessGoThatGivesUpBeforeTheFence) {
  const auto armed = guard_->arm({{machine_}, std::chrono::seconds(30), {machine_}, std::chrono::seconds(30)});
  ASSERT_TRUE(armed);
  EXPECT_TRUE((*armed)->freeze());
  EXPECT_TRUE((*armed)->thawed());
}

TEST_F(ProcessGuardTest, LetsNoFenceUpWhenFreezingHasTakenTooLong) {
  const auto armed = guard_->arm({{machine_}, std::chrono::seconds(30), {machine_}, Milliseconds(20)});
  ASSERT_TRUE(armed);
  EXPECT_TRUE((*armed)->freeze());
  std::this_thread::sleep_for(Milliseconds(200));
  const auto raised = (*armed)->raise();
  ASSERT_FALSE(raised);
  EXPECT_EQ(raised.error().code, ErrorCode::kTimeout);
  EXPECT_TRUE((*armed)->thawed());
}

TEST_F(ProcessGuardTest, HasFiredInTheFenceWhenTheFreezeLastsTooLong) {
  const auto armed = guard_->arm({{machine_}, std::chrono::seconds(30), {machine_}, Milliseconds(100)});
  ASSERT_TRUE(armed);
  EXPECT_TRUE((*armed)->freeze());
  EXPECT_TRUE((*armed)->raise());
  std::this_thread::sleep_for(Milliseconds(300));
  EXPECT_TRUE((*armed)->disarm().value());
  EXPECT_TRUE((*armed)->thawed());
}

TEST_F(ProcessGuardTest, WaitsForTheThawWhenTheFenceIsDown) {
  const auto armed = guard_->arm({{machine_}, std::chrono::seconds(30), {machine_}, Milliseconds(100)});
  ASSERT_TRUE(armed);
  EXPECT_TRUE((*armed)->freeze());
  EXPECT_TRUE((*armed)->raise());
  EXPECT_FALSE((*armed)->disarm().value());
  std::this_thread::sleep_for(Milliseconds(300));
  EXPECT_TRUE((*armed)->thawed());
}

TEST_F(ProcessGuardTest, IsNotReadyForAMachineThatDoesNotExist) {
  const auto armed = guard_->arm({{MachineId::generate()}, std::chrono::seconds(1), {}, {}});
  ASSERT_FALSE(armed);
  EXPECT_EQ(armed.error().code, ErrorCode::kNotFound);
}

TEST_F(ProcessGuardTest, IsNotReadyWithoutLibvirt) {
  const auto guard = make_process_guard("qemu+unix:///system?socket=/nonexistent", COHORT_GUARD_PROGRAM);
  const auto armed = guard->arm({{machine_}, std::chrono::seconds(1), {}, {}});
  ASSERT_FALSE(armed);
  EXPECT_EQ(armed.error().code, ErrorCode::kHypervisor);
}

TEST_F(ProcessGuardTest, SaysWhichProgramIsMissing) {
  const auto armed = make_process_guard(kUri, "/nonexistent/guard")->arm({{machine_}, std::chrono::seconds(1), {}, {}});
  ASSERT_FALSE(armed);
  EXPECT_EQ(armed.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(armed.error().message.find("/nonexistent/guard"), std::string::npos);
}

}  // namespace
}  // namespace cohort::hypervisor
