#include "hypervisor/power.h"

#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

TEST(DomainState, KnowsWhoMadeAMachineStandStill) {
  const auto paused = [](int reason) { return DomainState{VIR_DOMAIN_PAUSED, reason}.activity(); };
  EXPECT_EQ(paused(VIR_DOMAIN_PAUSED_USER), MachineActivity::kPaused);
  EXPECT_EQ(paused(VIR_DOMAIN_PAUSED_FROM_SNAPSHOT), MachineActivity::kPaused);
  EXPECT_EQ(paused(VIR_DOMAIN_PAUSED_IOERROR), MachineActivity::kFailed);
  EXPECT_EQ(paused(VIR_DOMAIN_PAUSED_WATCHDOG), MachineActivity::kFailed);
  EXPECT_EQ(paused(VIR_DOMAIN_PAUSED_MIGRATION), MachineActivity::kPaused) << "what was restored, and was not let run";
  EXPECT_EQ(paused(VIR_DOMAIN_PAUSED_POSTCOPY), MachineActivity::kHeld);
  EXPECT_EQ(paused(VIR_DOMAIN_PAUSED_STARTING_UP), MachineActivity::kStarting);
  EXPECT_EQ(paused(VIR_DOMAIN_PAUSED_SHUTTING_DOWN), MachineActivity::kShuttingDown);
}

TEST(DomainState, KnowsEveryState) {
  const auto activity = [](int state) { return DomainState{state, 0}.activity(); };
  EXPECT_EQ(activity(VIR_DOMAIN_RUNNING), MachineActivity::kRunning);
  EXPECT_EQ(activity(VIR_DOMAIN_BLOCKED), MachineActivity::kRunning);
  EXPECT_EQ(activity(VIR_DOMAIN_SHUTOFF), MachineActivity::kOff);
  EXPECT_EQ(activity(VIR_DOMAIN_SHUTDOWN), MachineActivity::kShuttingDown);
  EXPECT_EQ(activity(VIR_DOMAIN_CRASHED), MachineActivity::kFailed);
  EXPECT_EQ(activity(VIR_DOMAIN_PMSUSPENDED), MachineActivity::kSuspendedByGuest);
  EXPECT_EQ(activity(VIR_DOMAIN_NOSTATE), MachineActivity::kUnknown);
}

TEST(DomainState, TellsAStartFromAnEndOfAPause) {
  EXPECT_TRUE((DomainState{VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED}).has_run_since_start());
  EXPECT_FALSE((DomainState{VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED}).has_run_since_start());
  EXPECT_FALSE((DomainState{VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER}).has_run_since_start());
}

}  // namespace
}  // namespace cohort::hypervisor
