#include "hypervisor/machine_hardware.h"

#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

std::string machine(const std::string& top, const std::string& devices = {}) {
  return "<domain type='kvm'><name>web</name><uuid>5b1f0c51-62f7-4f0e-9f2e-3f3b1f1f0a01</uuid>" + top + "<devices>" +
         devices + "</devices></domain>";
}

MachineHardware read(const std::string& top, const std::string& devices = {}) {
  return read_hardware(machine(top, devices)).value();
}

TEST(ReadHardware, ReadsThePlatform) {
  const auto hardware = read(
      "<description>the shop's</description>"
      "<os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><loader secure='yes' type='pflash'/>"
      "<boot dev='hd'/><boot dev='network'/><boot dev='moon'/></os>");
  EXPECT_EQ(hardware.name, "web");
  EXPECT_EQ(hardware.id.str(), "5b1f0c51-62f7-4f0e-9f2e-3f3b1f1f0a01");
  EXPECT_EQ(hardware.description, "the shop's");
  EXPECT_EQ(hardware.architecture, "x86_64");
  EXPECT_EQ(hardware.machine_type, "pc-q35-7.2");
  EXPECT_TRUE(hardware.has_uefi);
  EXPECT_TRUE(hardware.has_secure_boot);
  EXPECT_EQ(hardware.boot_order, (std::vector<BootDevice>{BootDevice::kDisk, BootDevice::kNetwork}));
}

TEST(ReadHardware, KnowsABiosMachine) {
  const auto hardware = read("<os><type>hvm</type><loader type='rom'>/bios.bin</loader></os>");
  EXPECT_FALSE(hardware.has_uefi);
  EXPECT_FALSE(hardware.has_secure_boot);
}

TEST(ReadHardware, CountsMemoryInAnyUnit) {
  EXPECT_EQ(read("<memory>1024</memory>").memory, 1024U * 1024);
  EXPECT_EQ(read("<memory unit='MiB'> 3 </memory>").memory, 3U << 20);
  EXPECT_EQ(read("<memory unit='GB'>2</memory>").memory, 2'000'000'000U);
  EXPECT_EQ(read("<memory unit='GiB'>2</memory>").memory_at_start, 2ULL << 30);
  EXPECT_EQ(read("<memory unit='GiB'>2</memory><currentMemory unit='GiB'>1</currentMemory>").memory_at_start, 1U << 30);
}

TEST(ReadHardware, TellsNothingOfMemoryThatIsNoNumber) {
  EXPECT_EQ(read("<memory unit='furlong'>2</memory>").memory, 0U);
  EXPECT_EQ(read("<memory unit='EiB'>4096</memory>").memory, 0U);
  EXPECT_EQ(read("<memory>much</memory>").memory, 0U);
  EXPECT_EQ(read("<memory>99999999999999999999999</memory>").memory, 0U);
}

TEST(ReadHardware, CountsTheProcessorsThatItStartsWith) {
  EXPECT_EQ(read("<vcpu placement='static'>4</vcpu>").processors, 4U);
  const auto hardware = read("<vcpu current='2'>4</vcpu><cpu><topology sockets='1' cores='2' threads='2'/></cpu>");
  EXPECT_EQ(hardware.processors, 2U);
  EXPECT_EQ(hardware.threads_per_core, 2U);
}

TEST(ReadHardware, ReadsDrives) {
  const auto hardware = read({},
                             "<disk type='file'><source file='/a.qcow2'/><target dev='vda' bus='virtio'/></disk>"
                             "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>"
                             "<disk type='block'><source dev='/dev/x'/><target dev='vdb'/><shareable/></disk>");
  ASSERT_EQ(hardware.drives.size(), 3U);
  EXPECT_EQ(hardware.drives[0].source, "/a.qcow2");
  EXPECT_EQ(hardware.drives[0].bus, "virtio");
  EXPECT_EQ(hardware.drives[1].kind, DriveKind::kCdrom);
  EXPECT_TRUE(hardware.drives[1].is_readonly);
  EXPECT_EQ(hardware.drives[1].source, "");
  EXPECT_EQ(hardware.drives[2].source, "/dev/x");
  EXPECT_TRUE(hardware.drives[2].is_shareable);
}

TEST(ReadHardware, ReadsNetworkCards) {
  const auto hardware = read({},
                             "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/>"
                             "<model type='virtio'/></interface>"
                             "<interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br0'/>"
                             "<link state='down'/></interface>");
  ASSERT_EQ(hardware.cards.size(), 2U);
  EXPECT_EQ(hardware.cards[0].connection, "default");
  EXPECT_EQ(hardware.cards[0].model, "virtio");
  EXPECT_TRUE(hardware.cards[0].is_cable_in);
  EXPECT_EQ(hardware.cards[1].connection, "br0");
  EXPECT_FALSE(hardware.cards[1].is_cable_in);
}

TEST(ReadHardware, TellsDevicesApart) {
  const std::string disk = "<disk><target dev='vda'/></disk>";
  const std::string card = "<interface><mac address='52:54:00:00:00:01'/></interface>";
  const auto hardware = read({}, disk + disk + "<disk/>" + card + card + "<interface/>");
  EXPECT_EQ(hardware.drives.size(), 1U);
  EXPECT_EQ(hardware.cards.size(), 1U);
}

TEST(ReadHardware, IsBounded) {
  std::string devices;
  for (int i = 0; i < 1200; ++i) devices += "<disk><target dev='d" + std::to_string(i) + "'/></disk>";
  EXPECT_EQ(read({}, devices).drives.size(), MachineHardware::kMaxDevices);
  EXPECT_TRUE(read({}, "<disk><target dev='" + std::string(100, 'v') + "'/></disk>").drives.empty());
  std::string long_text = "x";
  for (int i = 0; i < 10000; ++i) long_text += "ä";
  const auto description = read("<description>" + long_text + "</description>").description;
  EXPECT_EQ(description.size(), MachineHardware::kMaxText - 1);  // no half character
  EXPECT_EQ(description, long_text.substr(0, description.size()));
  EXPECT_EQ(read_hardware("<!DOCTYPE x><domain/>").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(read_hardware("").error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cohort::hypervisor
