#include "hypervisor/throwaway_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hypervisor/domain_xml.h"

namespace cohort::hypervisor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string definition(const std::string& devices) {
  return "<domain type='qemu'><name>new</name><uuid>5b1f0c51-62f7-4f0e-9f2e-3f3b1f1f0a01</uuid><devices>" + devices +
         "</devices></domain>";
}

const std::string kDisk =
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none' io='native' discard='unmap'/>"
    "<source file='/tries/new-vda.qcow2'/><target dev='vda' bus='virtio'/></disk>";

std::string tried(const std::string& devices, const std::string& network = {}) {
  service::ThrowawayMachine machine;
  machine.definition.disks = {{"vda", {"/tries/new-vda.qcow2", "qcow2"}}};
  machine.backing = {{{{"/package/old vda.raw", "raw"}, 7}}};
  machine.network = network;
  return definition_for_try(definition(devices), machine).value();
}

TEST(DefinitionForTry, TellsTheWholeChainOfADisk) {
  const auto text = tried(kDisk);
  const auto disk = read_domain(text).value().disks.at(0);
  EXPECT_EQ(disk.source, "/tries/new-vda.qcow2");
  ASSERT_EQ(disk.backing.size(), 1U);
  EXPECT_EQ(disk.backing[0].path, "/package/old vda.raw");
  EXPECT_EQ(disk.backing[0].format, "raw");
  EXPECT_TRUE(disk.backing_is_complete) << "nobody looks into the image for more";
  EXPECT_THAT(text, HasSubstr("fdgroup=\"backing-vda-0\""));
}

TEST(DefinitionForTry, NeedsNoDirectAccess) {
  EXPECT_THAT(tried(kDisk),
              AllOf(HasSubstr("cache=\"unsafe\""), HasSubstr("discard=\"unmap\""), Not(HasSubstr("native"))));
}

TEST(DefinitionForTry, LeavesDrivesForMediaAlone) {
  EXPECT_THAT(
      tried(kDisk + "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>"),
      HasSubstr("<disk type=\"file\" device=\"cdrom\">\n      <target dev=\"sda\" bus=\"sata\"/>\n    </disk>"));
}

TEST(DefinitionForTry, NamesAFileForFirmwareVariablesOnlyWhereAMachineHasThem) {
  const auto with_file = [](const std::string& firmware, const std::string& loader) {
    const std::string os = "<domain type='qemu'><name>new</name><os" + firmware + ">" + loader +
                           "<nvram>/tries/new_VARS.fd</nvram></os><devices/></domain>";
    return definition_for_try(os, {}).value();
  };
  EXPECT_THAT(with_file(" firmware='efi'", ""), HasSubstr("<nvram>/tries/new_VARS.fd</nvram>"));
  EXPECT_THAT(with_file("", "<loader type='pflash'>/f</loader>"), HasSubstr("<nvram>/tries/new_VARS.fd</nvram>"));
  EXPECT_THAT(with_file("", ""), Not(HasSubstr("nvram")));
  EXPECT_THAT(with_file("", "<loader type='rom'>/f</loader>"), Not(HasSubstr("nvram")));
  EXPECT_THAT(with_file(" firmware='efi'", "<loader stateless='yes'/>"), Not(HasSubstr("nvram")));
}

TEST(DefinitionForTry, LeavesNoStateOfATpm) {
  EXPECT_THAT(tried("<tpm model='tpm-crb'><backend type='emulator' version='2.0' persistent_state='yes'/></tpm>"),
              HasSubstr("<backend type=\"emulator\" version=\"2.0\"/>"));
}

TEST(DefinitionForTry, PullsTheCableOfEveryInterface) {
  const auto text = tried(
      "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><target dev='tap7'/>"
      "<virtualport type='openvswitch'/><vlan><tag id='42'/></vlan><bandwidth/><filterref filter='clean'/>"
      "<model type='virtio'/><link state='up'/><driver name='vhost' queues='4' iommu='on'><host csum='off'/></driver>"
      "</interface><interface type='udp'><source address='127.0.0.1' port='1'><local address='127.0.0.1' port='2'/>"
      "</source></interface>");
  EXPECT_THAT(text,
              AllOf(HasSubstr("type=\"user\""), HasSubstr("<link state=\"down\"/>"), HasSubstr("52:54:00:00:00:01"),
                    HasSubstr("<model type=\"virtio\"/>"), HasSubstr("<driver iommu=\"on\"/>")));
  for (const char* gone : {"br0", "tap7", "openvswitch", "42", "bandwidth", "clean", "state=\"up\"", "vhost", "queues",
                           "csum", "127.0.0.1", "\"udp\"", "\"bridge\""}) {
    EXPECT_THAT(text, Not(HasSubstr(gone)));
  }
}

TEST(DefinitionForTry, AttachesEveryInterfaceToTheOneNetwork) {
  const auto text = tried(
      "<interface type='direct'><source dev='eth0' mode='vepa'/></interface>"
      "<interface type='network'><source network='default' portgroup='x'/></interface>",
      "cohort-try-1");
  EXPECT_THAT(text, AllOf(HasSubstr("<interface type=\"network\">\n      <source network=\"cohort-try-1\"/>\n"),
                          Not(HasSubstr("eth0")), Not(HasSubstr("default")), Not(HasSubstr("portgroup")),
                          Not(HasSubstr("down"))));
}

TEST(DefinitionForTry, RefusesAPathThatXmlCannotCarry) {
  service::ThrowawayMachine machine;
  machine.definition.disks = {{"vda", {"/tries/a", "qcow2"}}};
  machine.backing = {{{{"/package/a\x01", "raw"}, 7}}};
  EXPECT_EQ(definition_for_try(definition(kDisk), machine).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cohort::hypervisor
