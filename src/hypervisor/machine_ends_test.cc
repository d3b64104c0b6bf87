#include "hypervisor/machine_ends.h"

#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

using service::MachineEnd;

TEST(EndInEvent, TellsShutdownsFromCrashesAndFromPeople) {
  EXPECT_EQ(end_in_event(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN), MachineEnd::kShutDown);
  EXPECT_EQ(end_in_event(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED), MachineEnd::kCrashed);
  EXPECT_EQ(end_in_event(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED), MachineEnd::kCrashed);
  EXPECT_EQ(end_in_event(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED), MachineEnd::kStopped);
  EXPECT_EQ(end_in_event(VIR_DOMAIN_EVENT_CRASHED, 0), MachineEnd::kCrashed);
}

TEST(EndInEvent, IsNothingWhileAMachineGoesOn) {
  EXPECT_EQ(end_in_event(VIR_DOMAIN_EVENT_STARTED, 0), std::nullopt);
  EXPECT_EQ(end_in_event(VIR_DOMAIN_EVENT_SHUTDOWN, 0), std::nullopt) << "it has not stopped yet";
  EXPECT_EQ(end_in_event(VIR_DOMAIN_EVENT_UNDEFINED, 0), std::nullopt);
}

TEST(EndLog, KeepsTheFirstEndOfItsOwnMachines) {
  const MachineId own = MachineId::generate();
  const MachineId other = MachineId::generate();
  EndLog log({own});
  log.hear(other, MachineEnd::kCrashed);
  log.hear(own, MachineEnd::kShutDown);
  log.hear(own, MachineEnd::kStopped);
  EXPECT_EQ(log.end_of(own, Milliseconds(0)), MachineEnd::kShutDown);
  EXPECT_EQ(log.end_of(other, Milliseconds(0)), MachineEnd::kStopped);
}

}  // namespace
}  // namespace cohort::hypervisor
