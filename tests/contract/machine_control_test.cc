// The port MachineControl: the fake, and libvirt's test driver, in which there is one running machine "test".
#include <gtest/gtest.h>

#include <memory>

#include "base/temporary_folder.h"
#include "hypervisor/libvirt_hypervisor.h"
#include "service/testing/call_control.h"
#include "service/testing/fake_clock.h"
#include "service/testing/fake_hypervisor.h"

namespace cohort {
namespace {

using service::FakeHypervisor;
using service::Hypervisor;

class Fake {
 public:
  Fake() {
    service::FakeMachine machine;
    machine.summary.name = "test";
    machine.summary.power = PowerState::kRunning;
    machine.hardware.memory = std::uint64_t{8} << 30;
    machine.hardware.memory_at_start = std::uint64_t{2} << 30;
    machine.hardware.processors = 2;
    hypervisor_.add_machine(std::move(machine));
  }
  Hypervisor& hypervisor() { return hypervisor_; }

 private:
  TemporaryFolder folder_;
  service::FakeClock clock_;
  service::CallControl control_;
  FakeHypervisor hypervisor_{control_, clock_, folder_.path()};
};

class TestDriver {
 public:
  Hypervisor& hypervisor() { return *hypervisor_; }

 private:
  std::unique_ptr<Hypervisor> hypervisor_ = std::move(hypervisor::open_libvirt("test:///default").value());
};

template <typename World>
class MachineControlContract : public testing::Test {
 protected:
  Hypervisor& machines() { return world_.hypervisor(); }
  MachineActivity activity() { return machines().condition(id_)->activity; }
  void expect_refused(const std::vector<PowerChange>& changes) {
    const MachineActivity before = activity();
    for (const PowerChange change : changes) {
      const auto done = machines().change_power(id_, change);
      ASSERT_FALSE(done) << static_cast<int>(change);
      EXPECT_EQ(done.error().code, ErrorCode::kInvalidState);
    }
    EXPECT_EQ(activity(), before);
  }

  World world_;
  MachineId id_ = machines().find_machine("test")->id;
};

using Worlds = testing::Types<Fake, TestDriver>;
TYPED_TEST_SUITE(MachineControlContract, Worlds);

TYPED_TEST(MachineControlContract, TellsHowMachinesAre) {
  const auto all = this->machines().conditions().value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().id, this->id_);
  EXPECT_EQ(all.front().name, "test");
  EXPECT_EQ(all.front().activity, MachineActivity::kRunning);
  EXPECT_EQ(all.front().words, "running");
  EXPECT_EQ(all.front().memory, std::uint64_t{2} << 30);
  EXPECT_EQ(all.front().processors, 2U);
  EXPECT_FALSE(all.front().starts_with_host);
  EXPECT_EQ(this->machines().condition(MachineId::generate()).error().code, ErrorCode::kNotFound);
}

TYPED_TEST(MachineControlContract, KeepsWhatIsWrittenAboutMachines) {
  const auto description = [this] { return this->machines().hardware(this->id_)->description; };
  const std::string text = "the shop's <first> & \"only\"\nsecond line";
  EXPECT_TRUE(this->machines().describe(this->id_, text));
  EXPECT_EQ(description(), text);
  EXPECT_EQ(this->machines().describe(this->id_, std::string(4097, 'x')).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(description(), text);
  EXPECT_TRUE(this->machines().change_power(this->id_, PowerChange::kTurnOff));
  EXPECT_EQ(description(), text) << "the definition has it, too";
  EXPECT_TRUE(this->machines().describe(this->id_, ""));
  EXPECT_EQ(description(), "");
  EXPECT_EQ(this->machines().describe(MachineId::generate(), "x").error().code, ErrorCode::kNotFound);
}

TYPED_TEST(MachineControlContract, TellsWhatMachinesConsistOf) {
  const auto hardware = this->machines().hardware(this->id_).value();
  EXPECT_EQ(hardware.id, this->id_);
  EXPECT_EQ(hardware.name, "test");
  EXPECT_EQ(hardware.memory, std::uint64_t{8} << 30);
  EXPECT_EQ(hardware.memory_at_start, std::uint64_t{2} << 30);
  EXPECT_EQ(hardware.processors, 2U);
  EXPECT_EQ(this->machines().hardware(MachineId::generate()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(this->machines().hardware_in("").error().code, ErrorCode::kCorrupt);
}

TYPED_TEST(MachineControlContract, PausesAndResumes) {
  this->expect_refused({PowerChange::kStart, PowerChange::kResume});
  ASSERT_TRUE(this->machines().change_power(this->id_, PowerChange::kPause));
  EXPECT_EQ(this->activity(), MachineActivity::kPaused);
  this->expect_refused({PowerChange::kStart, PowerChange::kPause, PowerChange::kShutDown, PowerChange::kReset});
  ASSERT_TRUE(this->machines().change_power(this->id_, PowerChange::kResume));
  EXPECT_EQ(this->activity(), MachineActivity::kRunning);
}

TYPED_TEST(MachineControlContract, TurnsOffAndStarts) {
  ASSERT_TRUE(this->machines().change_power(this->id_, PowerChange::kTurnOff));
  EXPECT_EQ(this->activity(), MachineActivity::kOff);
  this->expect_refused({PowerChange::kTurnOff, PowerChange::kShutDown, PowerChange::kReboot, PowerChange::kReset,
                        PowerChange::kPause, PowerChange::kResume});
  ASSERT_TRUE(this->machines().change_power(this->id_, PowerChange::kStart));
  EXPECT_EQ(this->activity(), MachineActivity::kRunning);
}

TYPED_TEST(MachineControlContract, TurnsOffWhatStandsStill) {
  ASSERT_TRUE(this->machines().change_power(this->id_, PowerChange::kPause));
  ASSERT_TRUE(this->machines().change_power(this->id_, PowerChange::kTurnOff));
  EXPECT_EQ(this->activity(), MachineActivity::kOff);
}

TYPED_TEST(MachineControlContract, ShutsDown) {
  ASSERT_TRUE(this->machines().change_power(this->id_, PowerChange::kShutDown));
  EXPECT_EQ(this->activity(), MachineActivity::kOff);
}

TYPED_TEST(MachineControlContract, Reboots) {
  ASSERT_TRUE(this->machines().change_power(this->id_, PowerChange::kReboot));
  EXPECT_EQ(this->activity(), MachineActivity::kRunning);
}

TYPED_TEST(MachineControlContract, KnowsNoMachineThatIsNotThere) {
  EXPECT_EQ(this->machines().change_power(MachineId::generate(), PowerChange::kStart).error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cohort
