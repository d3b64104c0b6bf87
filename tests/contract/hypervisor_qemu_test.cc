// service::Hypervisor over libvirt, on real QEMU machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libvirt/virterror.h>

#include <atomic>
#include <iostream>
#include <thread>

#include "base/parallel.h"
#include "contract/qemu_machine.h"
#include "hypervisor/libvirt_hypervisor.h"

namespace cohort::contract {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

enum class Power { kOff, kRunning, kPaused };

class HypervisorQemu : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = hypervisor::open_libvirt(uri());
    if (!opened) GTEST_SKIP() << "SKIP: no libvirt: " << opened.error().describe();
    hypervisor_ = std::move(*opened);
  }

  static void bring(QemuMachine& machine, Power power) {
    if (power == Power::kOff) return;
    ASSERT_TRUE(machine.start()) << virGetLastErrorMessage();
    if (power == Power::kPaused) {
      ASSERT_TRUE(machine.pause());
    }
  }
  static int state_of(Power power) {
    if (power == Power::kOff) return VIR_DOMAIN_SHUTOFF;
    return power == Power::kRunning ? VIR_DOMAIN_RUNNING : VIR_DOMAIN_PAUSED;
  }
  MemberSnapshot take(QemuMachine& machine) {
    auto member = snapshot_member(*hypervisor_, machine.id());
    EXPECT_TRUE(member) << member.error().describe();
    return member.value_or(MemberSnapshot());
  }

  std::unique_ptr<service::Hypervisor> hypervisor_;
  DiskFolder folder_;
};

template <typename Value>
void expect_ok(const Result<Value>& outcome) {
  EXPECT_TRUE(outcome) << outcome.error().describe();
}

TEST_F(HypervisorQemu, TellsTheDriverAndThatItCanSnapshot) {
  const auto host = hypervisor_->host();
  ASSERT_TRUE(host);
  EXPECT_EQ(host->hypervisor, "QEMU");
  EXPECT_TRUE(host->can_snapshot);
  EXPECT_TRUE(host->measures_pauses);
}

TEST_F(HypervisorQemu, InspectsChainsOfRunningAndPoweredOffMachinesAlike) {
  QemuMachine machine(folder_.path(), "ünspect 1", {"qcow2 on raw", "raw", "qcow2"},
                      "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>");
  const auto off = hypervisor_->inspect(machine.id());
  ASSERT_TRUE(off) << off.error().describe();
  ASSERT_TRUE(machine.start());
  const auto running = hypervisor_->inspect(machine.id());
  ASSERT_TRUE(running) << running.error().describe();
  EXPECT_EQ(off->summary.power, PowerState::kOff);
  EXPECT_EQ(running->summary.power, PowerState::kRunning);
  for (const auto* details : {&*off, &*running}) {
    EXPECT_THAT(details->obstacles, IsEmpty());
    ASSERT_EQ(details->disks.size(), 3U);
    ASSERT_EQ(details->disks[0].chain.size(), 2U);
    EXPECT_EQ(details->disks[0].chain[0].path, machine.disks()[0].active.path);
    EXPECT_EQ(details->disks[0].chain[1].format, "raw");
    EXPECT_EQ(details->disks[1].chain.size(), 1U);
    EXPECT_EQ(details->disks[1].virtual_size, 64U << 20U);
    ASSERT_EQ(details->left_out.size(), 1U);
    EXPECT_EQ(details->left_out[0].reason, LeftOutReason::kCdrom);
  }
}

TEST_F(HypervisorQemu, NamesWhatPreventsASnapshot) {
  QemuMachine machine(folder_.path(), "obstacles", {"qcow2"});
  ASSERT_TRUE(machine.start());
  ASSERT_TRUE(machine.begin_copy(folder_.path() / "copy.raw")) << virGetLastErrorMessage();
  auto details = hypervisor_->inspect(machine.id());
  ASSERT_TRUE(details);
  ASSERT_FALSE(details->obstacles.empty());
  EXPECT_THAT(details->obstacles[0], HasSubstr("block job"));
  ASSERT_EQ(virDomainBlockJobAbort(machine.domain(), "vda", 0), 0);
  ASSERT_EQ(virDomainManagedSave(machine.domain(), 0), 0) << virGetLastErrorMessage();
  details = hypervisor_->inspect(machine.id());
  ASSERT_EQ(details->obstacles.size(), 1U);
  EXPECT_THAT(details->obstacles[0], HasSubstr("managedsave-remove"));
  virDomainManagedSaveRemove(machine.domain(), 0);
  std::filesystem::remove(machine.disks()[0].active.path);
  details = hypervisor_->inspect(machine.id());
  ASSERT_EQ(details->obstacles.size(), 1U);
  EXPECT_THAT(details->obstacles[0], HasSubstr("not a file that can be read"));
}

TEST_F(HypervisorQemu, TellsHowAMachineIsAndChangesItsPower) {
  QemuMachine machine(folder_.path(), "power", {"qcow2"});
  const auto activity = [&] { return hypervisor_->condition(machine.id())->activity; };
  const auto order = [&](PowerChange change) { return hypervisor_->change_power(machine.id(), change); };
  EXPECT_EQ(activity(), MachineActivity::kOff);
  EXPECT_FALSE(hypervisor_->condition(machine.id())->process);
  const WallTime before = SystemClock().wall();
  expect_ok(order(PowerChange::kStart));
  const auto running = hypervisor_->condition(machine.id());
  ASSERT_TRUE(running) << running.error().describe();
  EXPECT_EQ(running->activity, MachineActivity::kRunning);
  ASSERT_TRUE(running->process);
  ASSERT_TRUE(running->started);
  EXPECT_LT(std::chrono::abs(*running->started - before), std::chrono::seconds(30));
  EXPECT_EQ(running->changed, running->started);
  expect_ok(order(PowerChange::kReset));
  expect_ok(order(PowerChange::kPause));
  EXPECT_EQ(activity(), MachineActivity::kPaused);
  EXPECT_EQ(order(PowerChange::kPause).error().code, ErrorCode::kInvalidState);
  expect_ok(order(PowerChange::kResume));
  EXPECT_EQ(activity(), MachineActivity::kRunning);
  EXPECT_FALSE(hypervisor_->condition(machine.id())->changed);  // nobody has seen when it was resumed
  ASSERT_EQ(virDomainManagedSave(machine.domain(), 0), 0) << virGetLastErrorMessage();
  EXPECT_EQ(activity(), MachineActivity::kSaved);
  expect_ok(order(PowerChange::kStart));
  expect_ok(order(PowerChange::kTurnOff));
  EXPECT_EQ(activity(), MachineActivity::kOff);
}

TEST_F(HypervisorQemu, TellsWhatAMachineConsistsOf) {
  QemuMachine machine(folder_.path(), "hardware", {"qcow2", "raw"},
                      "<interface type='user'><mac address='52:54:00:00:00:0a'/></interface>");
  for (const bool runs : {false, true}) {
    if (runs) bring(machine, Power::kRunning);
    const auto hardware = hypervisor_->hardware(machine.id());
    ASSERT_TRUE(hardware) << hardware.error().describe();
    ASSERT_EQ(hardware->drives.size(), 2U);
    EXPECT_EQ(hardware->drives[0].source, machine.disks()[0].active.path);
    EXPECT_GT(hardware->memory, 0U);
    EXPECT_GT(hardware->processors, 0U);
    ASSERT_EQ(hardware->cards.size(), 1U);
    EXPECT_EQ(hardware->cards[0].mac, "52:54:00:00:00:0a");
  }
  const auto kept = hypervisor_->hardware_in(hypervisor_->inspect(machine.id())->configuration);
  ASSERT_TRUE(kept) << kept.error().describe();
  EXPECT_EQ(kept->id, machine.id());
}

class CaptureInEachPower : public HypervisorQemu, public testing::WithParamInterface<Power> {};

TEST_P(CaptureInEachPower, FreezesAllDisksAndTakesThemBack) {
  QemuMachine machine(folder_.path(), "capture", {"qcow2 on qcow2", "raw", "qcow2 on raw"});
  bring(machine, GetParam());
  for (std::size_t disk = 0; disk < 3; ++disk) ASSERT_TRUE(machine.write(disk, 0, 0x11));
  MemberSnapshot member = take(machine);
  ASSERT_EQ(member.disks.size(), 3U);
  EXPECT_EQ(machine.state(), state_of(GetParam()));
  for (std::size_t disk = 0; disk < 3; ++disk) {
    EXPECT_EQ(machine.active_file(disk).path, member.disks[disk].overlay);
    ASSERT_TRUE(machine.write(disk, 0, 0x22));
    ASSERT_TRUE(machine.write(disk, 1, 0x22));
    EXPECT_TRUE(QemuMachine::file_holds(member.disks[disk].frozen, 0, 0x11));
    EXPECT_TRUE(QemuMachine::file_holds(member.disks[disk].frozen, 1, 0));
  }
  expect_ok(merge_member(*hypervisor_, member));
  expect_ok(merge_member(*hypervisor_, member));  // once more is no failure
  EXPECT_EQ(machine.state(), state_of(GetParam()));
  for (std::size_t disk = 0; disk < 3; ++disk) {
    EXPECT_TRUE(machine.holds(disk, 0, 0x22));
    EXPECT_TRUE(machine.holds(disk, 1, 0x22));
    EXPECT_EQ(machine.active_file(disk).path, member.disks[disk].frozen.path);
    EXPECT_FALSE(std::filesystem::exists(member.disks[disk].overlay));
  }
}

TEST_P(CaptureInEachPower, MergesThreeStackedOverlaysInEveryOrder) {
  QemuMachine machine(folder_.path(), "orders", {"qcow2 on qcow2", "raw"});
  bring(machine, GetParam());
  std::vector<std::size_t> order{0, 1, 2};
  int round = 0;
  do {
    const int first = 10 * ++round;
    std::vector<MemberSnapshot> members;
    for (int i = 0; i < 3; ++i) {
      members.push_back(take(machine));
      // Slot 0 is overwritten by each; the others stay.
      for (std::size_t disk = 0; disk < 2; ++disk) {
        ASSERT_TRUE(machine.write(disk, 0, first + i));
        ASSERT_TRUE(machine.write(disk, i + 1, first + i));
      }
    }
    const std::vector<MemberSnapshot*> all{&members[0], &members[1], &members[2]};
    for (const std::size_t i : order) {
      const auto merged = merge_member(*hypervisor_, members[i], all);
      ASSERT_TRUE(merged) << order[0] << order[1] << order[2] << " at " << i << ": " << merged.error().describe();
    }
    EXPECT_EQ(machine.state(), state_of(GetParam()));
    for (std::size_t disk = 0; disk < 2; ++disk) {
      EXPECT_EQ(machine.active_file(disk).path, machine.disks()[disk].active.path);
      EXPECT_TRUE(machine.holds(disk, 0, first + 2));
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(machine.holds(disk, i + 1, first + i));
    }
  } while (std::next_permutation(order.begin(), order.end()));
  if (GetParam() != Power::kOff) machine.stop();
  EXPECT_TRUE(machine.start()) << virGetLastErrorMessage();
  for (std::size_t disk = 0; disk < 2; ++disk) EXPECT_TRUE(machine.holds(disk, 2, 61));
}

std::string name_of(const testing::TestParamInfo<Power>& info) {
  if (info.param == Power::kOff) return "Off";
  return info.param == Power::kRunning ? "Running" : "Paused";
}
INSTANTIATE_TEST_SUITE_P(Powers, CaptureInEachPower, testing::Values(Power::kOff, Power::kRunning, Power::kPaused),
                         name_of);

TEST_F(HypervisorQemu, MergesOfflineWhatWasTakenWhileRunningAndTheOtherWayRound) {
  QemuMachine machine(folder_.path(), "changes", {"qcow2"});
  bring(machine, Power::kRunning);
  MemberSnapshot first = take(machine);
  MemberSnapshot second = take(machine);
  ASSERT_TRUE(machine.write(0, 0, 0x33));
  ASSERT_TRUE(machine.stop());
  expect_ok(merge_member(*hypervisor_, first, {&second}));
  ASSERT_TRUE(machine.start()) << virGetLastErrorMessage();
  EXPECT_TRUE(machine.holds(0, 0, 0x33));
  expect_ok(merge_member(*hypervisor_, second));
  EXPECT_TRUE(machine.holds(0, 0, 0x33));
  EXPECT_EQ(machine.active_file(0).path, machine.disks()[0].active.path);
}

TEST_F(HypervisorQemu, CreatesNoOverlayOverAnExistingFile) {
  QemuMachine machine(folder_.path(), "exists", {"raw"});
  const auto details = hypervisor_->inspect(machine.id());
  MemberSnapshot member = plan_member(*details, SnapshotId::generate());
  expect_ok(create_file(member.disks[0].overlay, "precious"));
  const auto created = hypervisor_->create_overlay(member.disks[0]);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(read_file(member.disks[0].overlay, 100).value_or("gone"), "precious");
  // Nor is such a file taken for an overlay that was never switched to.
  EXPECT_FALSE(hypervisor_->merge_overlay(machine.id(), member.disks[0], {}, {}));
  EXPECT_EQ(read_file(member.disks[0].overlay, 100).value_or("gone"), "precious");
}

TEST_F(HypervisorQemu, RemovesAnOverlayThatWasNeverSwitchedTo) {
  QemuMachine machine(folder_.path(), "unused", {"raw"});
  for (const bool is_running : {false, true}) {
    MemberSnapshot member = plan_member(*hypervisor_->inspect(machine.id()), SnapshotId::generate());
    expect_ok(hypervisor_->create_overlay(member.disks[0]));
    if (is_running) {
      ASSERT_TRUE(machine.start());
    }
    expect_ok(merge_member(*hypervisor_, member));
    EXPECT_FALSE(std::filesystem::exists(member.disks[0].overlay));
  }
}

TEST_F(HypervisorQemu, SwitchesNoDiskWhenOneOverlayIsMissing) {
  for (const Power power : {Power::kOff, Power::kPaused}) {
    QemuMachine machine(folder_.path(), "atomic", {"raw", "qcow2"});
    bring(machine, power);
    MemberSnapshot member = plan_member(*hypervisor_->inspect(machine.id()), SnapshotId::generate());
    expect_ok(hypervisor_->create_overlay(member.disks[0]));
    EXPECT_FALSE(hypervisor_->capture(member));
    EXPECT_EQ(machine.active_file(0).path, machine.disks()[0].active.path);
    expect_ok(merge_member(*hypervisor_, member));
    EXPECT_FALSE(std::filesystem::exists(member.disks[0].overlay));
  }
}

TEST_F(HypervisorQemu, RefusesToCaptureADiskThatAnotherHasChanged) {
  QemuMachine machine(folder_.path(), "changed", {"raw"});
  bring(machine, Power::kPaused);
  const MemberSnapshot stale = plan_member(*hypervisor_->inspect(machine.id()), SnapshotId::generate());
  const MemberSnapshot other = take(machine);
  expect_ok(hypervisor_->create_overlay(stale.disks[0]));
  const auto captured = hypervisor_->capture(stale);
  ASSERT_FALSE(captured);
  EXPECT_EQ(captured.error().code, ErrorCode::kInvalidState);
}

TEST_F(HypervisorQemu, RefusesToMergeWhatAnotherHasChanged) {
  QemuMachine machine(folder_.path(), "foreign", {"raw"});
  bring(machine, Power::kRunning);
  MemberSnapshot member = take(machine);
  DiskSnapshot wrong = member.disks[0];
  wrong.frozen.path = folder_.path() / "other.raw";
  auto merged = hypervisor_->merge_overlay(machine.id(), wrong, {}, {});
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kInvalidState);
  ASSERT_TRUE(machine.begin_copy(folder_.path() / "copy.raw")) << virGetLastErrorMessage();
  merged = hypervisor_->merge_overlay(machine.id(), member.disks[0], {}, {});
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(merged.error().message, HasSubstr("Another block job"));
  virDomainBlockJobAbort(machine.domain(), "vda", 0);
  ASSERT_TRUE(machine.stop());
  run({"qemu-img", "snapshot", "-c", "theirs", member.disks[0].overlay.string()});
  merged = hypervisor_->merge_overlay(machine.id(), member.disks[0], {}, {});
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(merged.error().message, HasSubstr("internal snapshot"));
}

// What configuration management does: it defines the machine as it was before the snapshot.
TEST_F(HypervisorQemu, KeepsAnOverlayThatWasTakenAwayFromItsMachineUnmerged) {
  for (const Power power : {Power::kOff, Power::kRunning}) {
    QemuMachine machine(folder_.path(), "redefined", {"qcow2"});
    const std::string before = machine.xml_now(VIR_DOMAIN_XML_INACTIVE);
    MemberSnapshot member = take(machine);
    const std::string with_overlay = machine.xml_now(VIR_DOMAIN_XML_INACTIVE);
    ASSERT_TRUE(machine.write(0, 0, 0x55));
    ASSERT_TRUE(machine.define(before));
    bring(machine, power);
    const auto merged = merge_member(*hypervisor_, member);
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, ErrorCode::kInvalidState);
    EXPECT_THAT(merged.error().message, HasSubstr(member.disks[0].overlay.string()));
    EXPECT_THAT(merged.error().message, HasSubstr(machine.name()));
    EXPECT_TRUE(QemuMachine::file_holds({member.disks[0].overlay, "qcow2"}, 0, 0x55));
    if (power == Power::kRunning) machine.stop();
    ASSERT_TRUE(machine.define(with_overlay));
    expect_ok(merge_member(*hypervisor_, member));
    EXPECT_TRUE(machine.holds(0, 0, 0x55));
  }
}

TEST_F(HypervisorQemu, StaysOnTheOverlayWhenTheMarkCannotBeKept) {
  QemuMachine machine(folder_.path(), "unmarked", {"raw"});
  for (const Power power : {Power::kOff, Power::kRunning}) {
    bring(machine, power);
    MemberSnapshot member = take(machine);
    ASSERT_TRUE(machine.write(0, 1, 0x66));
    const auto mark = [](bool) -> Result<void> { return fail(ErrorCode::kNoSpace, "full"); };
    const auto merged = hypervisor_->merge_overlay(machine.id(), member.disks[0], {}, {{}, mark});
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, ErrorCode::kNoSpace);
    EXPECT_EQ(machine.active_file(0).path, member.disks[0].overlay);
    EXPECT_TRUE(machine.write(0, 2, 0x67));
    expect_ok(merge_member(*hypervisor_, member));
    EXPECT_TRUE(machine.holds(0, 1, 0x66));
    EXPECT_TRUE(machine.holds(0, 2, 0x67));
  }
}

TEST_F(HypervisorQemu, StopsAMergeAndTheMachineWorksOn) {
  QemuMachine machine(folder_.path(), "cancel", {"raw"});
  for (const Power power : {Power::kOff, Power::kRunning}) {
    bring(machine, power);
    MemberSnapshot member = take(machine);
    ASSERT_TRUE(machine.write(0, 5, 0x44));
    std::stop_source stop;
    stop.request_stop();
    const auto merged = hypervisor_->merge_overlay(machine.id(), member.disks[0], stop.get_token(), {});
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(machine.active_file(0).path, member.disks[0].overlay);
    EXPECT_TRUE(machine.write(0, 6, 0x45));
    expect_ok(merge_member(*hypervisor_, member));
    EXPECT_TRUE(machine.holds(0, 5, 0x44));
    EXPECT_TRUE(machine.holds(0, 6, 0x45));
  }
}

TEST_F(HypervisorQemu, KeepsEveryWriteWhileTheMachineIsStartedAndStopped) {
  QemuMachine machine(folder_.path(), "restless", {"qcow2", "raw"});
  for (int round = 0; round < 5; ++round) {
    std::vector<MemberSnapshot> members{take(machine), take(machine)};
    std::atomic<bool> is_over{false};
    int written = 0;
    std::jthread user([&] {
      for (int i = 1; !is_over || machine.state() == VIR_DOMAIN_RUNNING; ++i) {
        if (!machine.start()) continue;  // the merge has the image: a clean refusal
        const bool is_written = machine.write(0, 0, i % 200) && machine.write(1, 0, i % 200);
        if (is_written) written = i % 200;
        machine.stop();
      }
    });
    const auto first = merge_member(*hypervisor_, members[0], {&members[1]});
    const auto second = merge_member(*hypervisor_, members[1]);
    is_over = true;
    user.join();
    for (const auto* outcome : {&first, &second}) {
      if (*outcome) continue;
      EXPECT_THAT(outcome->error().code, testing::AnyOf(ErrorCode::kInUse, ErrorCode::kInvalidState))
          << outcome->error().describe();
    }
    expect_ok(merge_member(*hypervisor_, members[0], {&members[1]}));
    expect_ok(merge_member(*hypervisor_, members[1]));
    EXPECT_EQ(machine.active_file(1).path, machine.disks()[1].active.path);
    EXPECT_TRUE(machine.holds(0, 0, written)) << written;
    EXPECT_TRUE(machine.holds(1, 0, written)) << written;
  }
}

TEST_F(HypervisorQemu, MeasuresPausesFromQemusEvents) {
  std::vector<std::unique_ptr<QemuMachine>> machines;
  std::vector<MachineId> ids;
  for (int i = 0; i < 4; ++i) {
    machines.push_back(std::make_unique<QemuMachine>(folder_.path(), fmt::format("pause{}", i),
                                                     std::vector<std::string>{"qcow2", "raw"}));
    ASSERT_TRUE(machines.back()->start());
    ids.push_back(machines.back()->id());
  }
  std::vector<MemberSnapshot> members;
  for (const MachineId& id : ids) {
    members.push_back(plan_member(*hypervisor_->inspect(id), SnapshotId::generate()));
    for (const DiskSnapshot& disk : members.back().disks) expect_ok(hypervisor_->create_overlay(disk));
  }
  auto watch = hypervisor_->watch_pauses(ids);
  ASSERT_TRUE(watch) << watch.error().describe();
  EXPECT_FALSE((*watch)->pause_of(ids[0], Milliseconds(10)));
  const auto timed = [&](const char* what, const auto& work) {
    const auto begin = std::chrono::steady_clock::now();
    const auto outcomes = run_in_parallel(ids.size(), work);
    const auto took = std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - begin);
    std::cout << what << " of 4 in parallel: " << took.count() << " us\n";
    for (const auto& outcome : outcomes) expect_ok(outcome);
  };
  timed("suspend", [&](std::size_t i) { return hypervisor_->suspend(ids[i]); });
  EXPECT_FALSE((*watch)->has_resumed(ids[0]));
  timed("capture", [&](std::size_t i) { return hypervisor_->capture(members[i]).map([](const auto&) {}); });
  timed("resume", [&](std::size_t i) { return hypervisor_->resume(ids[i]); });
  WallTime latest_stop;
  WallTime earliest_resume = WallTime::max();
  for (const MachineId& id : ids) {
    const auto pause = (*watch)->pause_of(id, std::chrono::seconds(1));
    ASSERT_TRUE(pause);
    EXPECT_TRUE((*watch)->has_resumed(id));
    std::cout << "pause of " << id.short_str() << ": " << pause->length().count() << " us\n";
    latest_stop = std::max(latest_stop, pause->stopped);
    earliest_resume = std::min(earliest_resume, pause->resumed);
  }
  EXPECT_LT(latest_stop, earliest_resume);
  timed("merge", [&](std::size_t i) { return merge_member(*hypervisor_, members[i]); });
  EXPECT_EQ(hypervisor_->suspend(MachineId::generate()).error().code, ErrorCode::kNotFound);
}

TEST_F(HypervisorQemu, CarriesNvramAndTpmStateIntoAnImportedMachine) {
  const Path nvram = folder_.path() / "vars.fd";
  QemuMachine machine(folder_.path(), "uefi", {"raw"},
                      "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
                      fmt::format("<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"
                                  "<nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>{}</nvram>",
                                  nvram.string()));
  bring(machine, Power::kPaused);
  const auto details = hypervisor_->inspect(machine.id());
  ASSERT_TRUE(details) << details.error().describe();
  EXPECT_EQ(details->nvram, nvram);
  EXPECT_EQ(details->tpm_state, hypervisor_->tpm_state_folder(machine.id()));
  MemberSnapshot member = plan_member(*details, SnapshotId::generate());
  expect_ok(hypervisor_->create_overlay(member.disks[0]));
  const auto files = hypervisor_->capture(member);
  ASSERT_TRUE(files) << files.error().describe();
  ASSERT_TRUE(files->nvram);
  EXPECT_EQ(files->nvram, read_file(nvram, 1U << 24U).value_or(""));
  ASSERT_FALSE(files->tpm.empty());
  EXPECT_EQ(files->tpm[0].name, "tpm2/tpm2-00.permall");

  const MachineId id = MachineId::generate();
  const Path copy = folder_.path() / "copy.raw";
  run({"cp", member.disks[0].frozen.path.string(), copy.string()});
  expect_ok(create_file(folder_.path() / "copy.fd", *files->nvram));
  expect_ok(hypervisor_->write_tpm_state(id, files->tpm));
  const service::DefineMachineRequest request{member.configuration,     machine.name() + "-imported", {},         id,
                                              {{"vda", {copy, "raw"}}}, folder_.path() / "copy.fd",   "by a test"};
  const auto defined = hypervisor_->define_machine(request);
  ASSERT_TRUE(defined) << defined.error().describe();
  EXPECT_EQ(*defined, id);
  EXPECT_EQ(hypervisor_->define_machine(request).error().code, ErrorCode::kAlreadyExists);
  expect_ok(hypervisor_->start(id));
  EXPECT_EQ(hypervisor_->machine(id).value_or(MachineSummary()).power, PowerState::kRunning);
  const auto looked_at = hypervisor_->defined_machine(id);
  ASSERT_TRUE(looked_at) << looked_at.error().describe();
  EXPECT_EQ(looked_at->name, request.name);
  EXPECT_TRUE(looked_at->is_active);
  EXPECT_EQ(looked_at->mark, "by a test");
  EXPECT_EQ(looked_at->disks, std::vector{copy.string()});
  EXPECT_EQ(hypervisor_->undefine_machine(id).error().code, ErrorCode::kInvalidState);
  EXPECT_EQ(hypervisor_->machine(id).value_or(MachineSummary()).power, PowerState::kRunning);
  expect_ok(hypervisor_->stop(id));
  expect_ok(hypervisor_->stop(id));
  EXPECT_FALSE(hypervisor_->defined_machine(id)->is_active);
  expect_ok(hypervisor_->undefine_machine(id));
  expect_ok(hypervisor_->undefine_machine(id));
  expect_ok(hypervisor_->stop(id));
  EXPECT_EQ(hypervisor_->defined_machine(id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(hypervisor_->machine(id).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(std::filesystem::exists(copy));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "copy.fd"));
}

TEST_F(HypervisorQemu, MergesNothingUnderASavedState) {
  QemuMachine machine(folder_.path(), "saved", {"raw"});
  bring(machine, Power::kRunning);
  MemberSnapshot member = take(machine);
  ASSERT_EQ(virDomainManagedSave(machine.domain(), 0), 0);
  const auto merged = hypervisor_->merge_overlay(machine.id(), member.disks[0], {}, {});
  ASSERT_FALSE(merged);
  EXPECT_EQ(merged.error().code, ErrorCode::kInvalidState);
  ASSERT_TRUE(machine.start()) << virGetLastErrorMessage();
  expect_ok(merge_member(*hypervisor_, member));
  EXPECT_EQ(machine.active_file(0).path, machine.disks()[0].active.path);
}

TEST_F(HypervisorQemu, SuspendsOnlyWhatRunsAndResumesOnlyWhatAUserPaused) {
  QemuMachine machine(folder_.path(), "suspend", {"raw"});
  EXPECT_EQ(hypervisor_->suspend(machine.id()).error().code, ErrorCode::kInvalidState);
  expect_ok(hypervisor_->resume(machine.id()));
  bring(machine, Power::kPaused);
  EXPECT_EQ(hypervisor_->suspend(machine.id()).error().code, ErrorCode::kInvalidState);
  expect_ok(hypervisor_->resume(machine.id()));
  EXPECT_EQ(machine.state(), VIR_DOMAIN_RUNNING);
  expect_ok(hypervisor_->resume(machine.id()));
}

}  // namespace
}  // namespace cohort::contract
