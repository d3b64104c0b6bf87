#include "hypervisor/domain_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hypervisor/configuration_check.h"

namespace cohort::hypervisor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kUuid = "5b1f0c51-62f7-4f0e-9f2e-3f3b1f1f0a01";
constexpr const char* kNewUuid = "0e6c1f0a-6f3e-4b8c-9a55-2f7f3a1d7c11";

std::string machine(const std::string& devices, const std::string& top = {}) {
  return std::string("<domain type='qemu' id='3'><name>old</name><uuid>") + kUuid + "</uuid>" + top +
         "<os><type>hvm</type></os><devices>" + devices + "</devices></domain>";
}

std::string file_disk(const std::string& target, const std::string& more = {}) {
  return "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/old/" + target +
         ".qcow2' index='1'/>" + more + "<target dev='" + target + "' bus='virtio'/></disk>";
}

// Imports a machine whose only disk is vda.
std::string import_of(const std::string& xml, const std::function<void(service::DefineMachineRequest&)>& change = {}) {
  service::DefineMachineRequest request;
  request.configuration = xml;
  request.name = "new";
  request.disks = {{"vda", {"/new/new-vda.raw", "raw"}}};
  if (change) {
    change(request);
  }
  return definition_for_import(request, MachineId::parse(kNewUuid).value()).value();
}

void without_disks(service::DefineMachineRequest& request) { request.disks.clear(); }
void with_kept_ids(service::DefineMachineRequest& request) { request.id = MachineId::parse(kNewUuid).value(); }

// --- reading ---

TEST(ReadDomain, ReadsNameIdAndDisksInOrder) {
  const auto domain = read_domain(machine(file_disk("vda") + file_disk("vdb"))).value();
  EXPECT_EQ(domain.name, "old");
  EXPECT_EQ(domain.id.str(), kUuid);
  ASSERT_EQ(domain.disks.size(), 2U);
  EXPECT_EQ(domain.disks[1].target, "vdb");
  EXPECT_EQ(domain.disks[0].source, "/old/vda.qcow2");
  EXPECT_EQ(domain.disks[0].format, "qcow2");
  EXPECT_FALSE(domain.disks[0].left_out_reason());
}

TEST(ReadDomain, FindsTheChannelOfTheAgent) {
  const auto has_channel = [](const std::string& target) {
    return read_domain(machine("<channel type='unix'><target " + target + "/></channel>")).value().has_agent_channel;
  };
  EXPECT_TRUE(has_channel("type='virtio' name='org.qemu.guest_agent.0' state='connected'"));
  EXPECT_FALSE(has_channel("type='virtio' name='com.redhat.spice.0'"));
  EXPECT_FALSE(has_channel("type='guestfwd' address='10.0.2.1' port='4600'"));
  EXPECT_FALSE(read_domain(machine(file_disk("vda"))).value().has_agent_channel);
}

TEST(ReadDomain, ReadsTheAliasOfADiskThatRuns) {
  const auto disks =
      read_domain(machine(file_disk("vda", "<alias name='virtio-disk0'/>") + file_disk("vdb"))).value().disks;
  EXPECT_EQ(disks[0].alias, "virtio-disk0");
  EXPECT_EQ(disks[1].alias, "");
}

TEST(ReadDomain, ReadsNamesOfAllScripts) {
  const auto domain =
      read_domain("<domain><name>Köln &amp; «日本»</name><uuid>" + std::string(kUuid) + "</uuid></domain>");
  EXPECT_EQ(domain.value().name, "Köln & «日本»");
}

TEST(ReadDomain, ReadsTheChainOfADiskToItsEnd) {
  const auto disk = read_domain(machine(file_disk("vda",
                                                  "<backingStore type='file'><format type='qcow2'/>"
                                                  "<source file='/old/b.qcow2'/><backingStore type='file'>"
                                                  "<format type='raw'/><source file='/old/c.raw'/><backingStore/>"
                                                  "</backingStore></backingStore>")))
                        .value()
                        .disks.at(0);
  ASSERT_EQ(disk.backing.size(), 2U);
  EXPECT_EQ(disk.backing[0].path, "/old/b.qcow2");
  EXPECT_EQ(disk.backing[1].format, "raw");
  EXPECT_TRUE(disk.backing_is_complete);
}

TEST(ReadDomain, SaysThatAChainIsIncompleteWhenItsEndIsNotTold) {
  EXPECT_FALSE(read_domain(machine(file_disk("vda"))).value().disks.at(0).backing_is_complete);
  const std::string over_network =
      "<backingStore type='network'><format type='raw'/><source protocol='nbd'/><backingStore/></backingStore>";
  const auto disk = read_domain(machine(file_disk("vda", over_network))).value().disks.at(0);
  EXPECT_TRUE(disk.backing.empty());
  EXPECT_FALSE(disk.backing_is_complete);
}

TEST(ReadDomain, NamesSourcesOfOtherTypesForPeople) {
  const auto disks = read_domain(machine("<disk type='block'><source dev='/dev/sdb'/><target dev='vda'/></disk>"
                                         "<disk type='network'><source protocol='rbd' name='p/i'/></disk>"
                                         "<disk type='volume'><source pool='p' volume='v'/></disk>"
                                         "<disk type='file' device='cdrom'/>"))
                         .value()
                         .disks;
  EXPECT_EQ(disks.at(0).source, "/dev/sdb");
  EXPECT_EQ(disks.at(1).source, "rbd:p/i");
  EXPECT_EQ(disks.at(2).source, "p/v");
  EXPECT_EQ(disks.at(3).source, "");
}

TEST(ReadDomain, GivesTheReasonWhyADiskIsLeftOut) {
  const auto disks = read_domain(machine("<disk type='file' device='cdrom'><readonly/></disk>"
                                         "<disk type='block' device='lun'/>" +
                                         file_disk("vda", "<readonly/>") + file_disk("vdb", "<shareable/>") +
                                         file_disk("vdc", "<transient/>") + "<disk type='block'/>"))
                         .value()
                         .disks;
  const std::vector<LeftOutReason> expected = {LeftOutReason::kCdrom,     LeftOutReason::kPassThrough,
                                               LeftOutReason::kReadOnly,  LeftOutReason::kShareable,
                                               LeftOutReason::kTransient, LeftOutReason::kNotAFile};
  ASSERT_EQ(disks.size(), expected.size());
  for (std::size_t i = 0; i < disks.size(); ++i) {
    EXPECT_EQ(disks[i].left_out_reason(), expected[i]) << i;
  }
}

TEST(ReadDomain, SeesABlockJob) {
  EXPECT_TRUE(
      read_domain(machine(file_disk("vda", "<mirror type='file' job='copy'/>"))).value().disks.at(0).has_mirror);
}

TEST(ReadDomain, FindsFirmwareVariablesInBothForms) {
  const auto nvram_of = [](const std::string& nvram) {
    return read_domain(machine("", "<os>" + nvram + "</os>")).value().nvram;
  };
  EXPECT_EQ(nvram_of("<nvram template='/t'>/n/old.fd</nvram>"), Path("/n/old.fd"));
  EXPECT_EQ(nvram_of("<nvram type='file'><source file='/n/old.fd'/></nvram>"), Path("/n/old.fd"));
  EXPECT_EQ(nvram_of("<nvram template='/t'/>"), std::nullopt);
}

TEST(ReadDomain, TellsAnEmulatedTpmFromARealOne) {
  EXPECT_TRUE(read_domain(machine("<tpm><backend type='emulator'/></tpm>")).value().has_emulated_tpm);
  EXPECT_FALSE(read_domain(machine("<tpm><backend type='passthrough'/></tpm>")).value().has_emulated_tpm);
}

TEST(ReadDomain, RefusesWhatIsNoDefinition) {
  for (const std::string& xml :
       {std::string(), std::string("<domain>"), std::string("<network/>"),
        "<domain><uuid>" + std::string(kUuid) + "</uuid></domain>",
        std::string("<domain><name>x</name><uuid>7</uuid></domain>"), "<!DOCTYPE domain>" + machine("")}) {
    const auto domain = read_domain(xml);
    ASSERT_FALSE(domain) << xml;
    EXPECT_EQ(domain.error().code, ErrorCode::kCorrupt);
  }
}

// --- editing ---

TEST(WithDiskSource, ReplacesFileAndFormatOfThatDiskOnly) {
  const std::string backing = "<backingStore type='file'><source file='/old/b.qcow2'/></backingStore>";
  const auto xml = with_disk_source(machine(file_disk("vda", backing) + file_disk("vdb")), "vda", {"/x/ä & b", "raw"});
  const auto disks = read_domain(xml.value()).value().disks;
  EXPECT_EQ(disks.at(0).source, "/x/ä & b");
  EXPECT_EQ(disks.at(0).format, "raw");
  EXPECT_TRUE(disks.at(0).backing.empty());
  EXPECT_EQ(disks.at(1).source, "/old/vdb.qcow2");
  EXPECT_THAT(xml.value(), Not(HasSubstr("backingStore")));
  EXPECT_THAT(xml.value(), HasSubstr("<source file=\"/x/ä &amp; b\"/>")) << "the index was of the old file";
}

TEST(WithDiskSource, ReportsADiskThatIsNotThere) {
  const auto xml = with_disk_source(machine(file_disk("vda")), "vdz", {"/x", "raw"});
  ASSERT_FALSE(xml);
  EXPECT_EQ(xml.error().code, ErrorCode::kNotFound);
}

TEST(WithDiskSource, RefusesAPathThatXmlCannotCarry) {
  const std::string xml = machine(file_disk("vda"));
  EXPECT_EQ(with_disk_source(xml, "vda", {"/x\n", "raw"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(with_disk_source(xml, "vda", {"/x\xff", "raw"}).error().code, ErrorCode::kInvalidArgument);
}

TEST(SnapshotXml, TakesTheDisksOfTheMemberAndNoOthers) {
  const auto domain = read_domain(machine(file_disk("vda") + file_disk("vdb"))).value();
  MemberSnapshot member;
  member.disks.push_back({"vda", {"/old/vda.qcow2", "qcow2"}, "/old/a&b.qcow2", 1});
  const std::string xml = snapshot_xml(domain, member);
  EXPECT_THAT(xml, HasSubstr("<memory snapshot=\"no\"/>"));
  EXPECT_THAT(xml, HasSubstr("<disk name=\"vda\" snapshot=\"external\" type=\"file\">"));
  EXPECT_THAT(xml, HasSubstr("<source file=\"/old/a&amp;b.qcow2\"/>"));
  EXPECT_THAT(xml, HasSubstr("<disk name=\"vdb\" snapshot=\"no\"/>"));
}

// --- import ---

TEST(DefinitionForImport, GivesTheMachineANewIdentity) {
  const std::string xml =
      import_of(machine(file_disk("vda"),
                        "<genid>11111111-2222-3333-4444-555555555555</genid><sysinfo type='smbios'>"
                        "<system><entry name='uuid'>" +
                            std::string(kUuid) + "</entry><entry name='serial'>S1</entry></system></sysinfo>"));
  EXPECT_EQ(read_domain(xml).value().name, "new");
  EXPECT_THAT(xml, AllOf(Not(HasSubstr(kUuid)), Not(HasSubstr("id=\"3\"")), Not(HasSubstr("11111111-2222"))));
  EXPECT_THAT(xml, AllOf(HasSubstr(std::string("<entry name=\"uuid\">") + kNewUuid), HasSubstr("S1")));
}

TEST(DefinitionForImport, AddsAUuidWhereThereIsNone) {
  const std::string xml = import_of("<domain><name>a</name><devices>" + file_disk("vda") + "</devices></domain>");
  EXPECT_EQ(read_domain(xml).value().id.str(), kNewUuid);
}

TEST(DefinitionForImport, PointsTheDisksAtTheNewFiles) {
  const std::string xml =
      import_of(machine("<disk type='block' device='lun' rawio='yes' sgio='unfiltered'><source "
                        "dev='/dev/sdx'><encryption/></source><backingStore/><encryption/><auth/>"
                        "<transient/><target dev='vda'/><boot order='1'/></disk>"));
  const auto disk = read_domain(xml).value().disks.at(0);
  EXPECT_EQ(disk.source, "/new/new-vda.raw");
  EXPECT_EQ(disk.format, "raw");
  EXPECT_EQ(disk.device, "disk");
  EXPECT_FALSE(disk.left_out_reason());
  for (const char* gone : {"/dev/sdx", "rawio", "sgio", "encryption", "auth", "transient", "backingStore"}) {
    EXPECT_THAT(xml, Not(HasSubstr(gone)));
  }
  EXPECT_THAT(xml, HasSubstr("<boot order=\"1\"/>"));
}

TEST(DefinitionForImport, RemovesDisksThatThePackageDoesNotHold) {
  const std::string xml = import_of(machine(file_disk("vda") + file_disk("vdb") + file_disk("vdc", "<readonly/>") +
                                            "<disk type='network'><source protocol='nbd'/></disk>"));
  EXPECT_EQ(read_domain(xml).value().disks.size(), 1U);
  EXPECT_THAT(xml, Not(HasSubstr("/old/")));
}

TEST(DefinitionForImport, EjectsMedia) {
  const std::string xml =
      import_of(machine(file_disk("vda") + "<disk type='block' device='cdrom'><source dev='/dev/sr0'/><target "
                                           "dev='sda'/><readonly/></disk>"));
  const auto cdrom = read_domain(xml).value().disks.at(1);
  EXPECT_EQ(cdrom.source, "");
  EXPECT_EQ(cdrom.type, "file");
  EXPECT_TRUE(cdrom.is_readonly);
}

TEST(DefinitionForImport, ReportsADiskThatTheConfigurationLacks) {
  service::DefineMachineRequest request;
  request.configuration = machine("");
  request.name = "new";
  request.disks = {{"vda", {"/new/a", "raw"}}};
  EXPECT_EQ(definition_for_import(request, MachineId::generate()).error().code, ErrorCode::kNotFound);
}

TEST(DefinitionForImport, LetsTheGuestWriteToTheDisksOfThePackage) {
  EXPECT_FALSE(read_domain(import_of(machine(file_disk("vda", "<readonly/>")))).value().disks.at(0).is_readonly);
}

TEST(DefinitionForImport, RefusesFilesThatXmlCannotCarry) {
  service::DefineMachineRequest request;
  request.configuration = machine(file_disk("vda"));
  request.name = "new";
  request.disks = {{"vda", {"/new/\xff", "raw"}}};
  EXPECT_EQ(definition_for_import(request, MachineId::generate()).error().code, ErrorCode::kInvalidArgument);
}

TEST(DefinitionForImport, RemovesOpenVSwitchIdsUnlessIdsAreKept) {
  const std::string xml =
      machine(file_disk("vda") +
              "<interface type='bridge'><virtualport type='openvswitch'><parameters interfaceid='1' profileid='p'/>"
              "</virtualport></interface>");
  EXPECT_THAT(import_of(xml), AllOf(Not(HasSubstr("interfaceid")), HasSubstr("profileid")));
  EXPECT_THAT(import_of(xml, with_kept_ids), HasSubstr("interfaceid"));
}

TEST(DefinitionForImport, RemovesMacAddressesUnlessIdsAreKept) {
  const std::string xml = machine(file_disk("vda") +
                                  "<interface type='network'><mac address='52:54:00:00:00:01'/><target dev='mine0'/>"
                                  "<source network='n' portid='p' bridge='virbr0'/></interface>"
                                  "<interface type='bridge'><source bridge='br0'/><target dev='vnet3'/></interface>");
  EXPECT_THAT(import_of(xml), AllOf(Not(HasSubstr("<mac")), Not(HasSubstr("mine0")), Not(HasSubstr("vnet3"))));
  EXPECT_THAT(import_of(xml, with_kept_ids),
              AllOf(HasSubstr("52:54:00:00:00:01"), HasSubstr("mine0"), Not(HasSubstr("vnet3"))));
  EXPECT_THAT(import_of(xml), AllOf(Not(HasSubstr("virbr0")), Not(HasSubstr("portid")), HasSubstr("bridge=\"br0\"")));
}

TEST(DefinitionForImport, DropsWhatLibvirtAssignedAtRunTime) {
  const std::string xml = import_of(machine(
      file_disk("vda", "<alias name='virtio-disk0'/>") + "<rng><alias name='ua-mine'/></rng>",
      "<resource><partition>/machine</partition></resource><seclabel type='dynamic'><label>x</label></seclabel>"));
  EXPECT_THAT(xml, AllOf(Not(HasSubstr("virtio-disk0")), HasSubstr("ua-mine"), Not(HasSubstr("<resource")),
                         Not(HasSubstr("seclabel"))));
}

TEST(DefinitionForImport, KeepsOtherResourcesThanThePartition) {
  const std::string xml = import_of(
      machine(file_disk("vda"), "<resource><partition>/machine</partition><fibrechannel appid='a'/></resource>"));
  EXPECT_THAT(xml, AllOf(Not(HasSubstr("partition")), HasSubstr("fibrechannel")));
}

TEST(DefinitionForImport, LetsLibvirtMakeSocketsAndTerminalsAnew) {
  const std::string xml =
      import_of(machine(file_disk("vda") +
                        "<channel type='unix'><source mode='bind' path='/run/s'/><target type='virtio' name='a.0' "
                        "state='connected'/></channel><console type='pty' tty='/dev/pts/1'><source path='/dev/pts/1'/>"
                        "<log file='/var/log/x'/></console>"));
  EXPECT_THAT(xml, AllOf(Not(HasSubstr("/run/s")), Not(HasSubstr("/dev/pts")), Not(HasSubstr("/var/log")),
                         Not(HasSubstr("connected")), HasSubstr("a.0")));
}

TEST(DefinitionForImport, RemovesPathsOfPortsThatNeedNone) {
  const std::string xml = import_of(machine(
      file_disk("vda") +
      "<channel type='spiceport'><source path='/x' channel='org.a'><seclabel model='dac'/></source></channel>"));
  EXPECT_THAT(xml, AllOf(Not(HasSubstr("/x")), Not(HasSubstr("seclabel")), HasSubstr("org.a")));
}

TEST(DefinitionForImport, GivesSerialPortsFilesOfTheirOwn) {
  const std::string port = "<source path='/old.log' append='off'/><target type='isa-serial' port='0'/>";
  const std::string xml = import_of(
      machine(file_disk("vda") + "<serial type='file'>" + port + "</serial><serial type='file'>" + port +
              "</serial><console type='file'><source path='/old.log'/><target type='serial' port='0'/></console>"));
  EXPECT_THAT(xml, AllOf(Not(HasSubstr("/old.log")), HasSubstr("path=\"/new/new-serial0.log\" append=\"on\""),
                         HasSubstr("path=\"/new/new-serial1.log\"")));
  EXPECT_NE(xml.find("new-serial0"), xml.rfind("new-serial0")) << "the console shows the file of its serial port";
}

TEST(DefinitionForImport, GivesSerialPortsATerminalWhereThereIsNoFolder) {
  const std::string xml = import_of(machine("<serial type='file'><source path='/old.log'/></serial>"), without_disks);
  EXPECT_THAT(xml, AllOf(HasSubstr("<serial type=\"pty\""), Not(HasSubstr("/old.log"))));
}

TEST(DefinitionForImport, KeepsAFileNameInItsFolderWhateverTheMachineIsCalled) {
  const std::string xml = import_of(machine(file_disk("vda") + "<serial type='file'/>"),
                                    [](service::DefineMachineRequest& request) { request.name = "../../etc/x"; });
  EXPECT_THAT(xml, HasSubstr("path=\"/new/.._.._etc_x-serial0.log\""));
}

TEST(DefinitionForImport, UsesTheFirmwareVariablesOfThePackage) {
  const std::string xml = import_of(machine(file_disk("vda"), "<os><nvram template='/t'>/old.fd</nvram></os>"),
                                    [](service::DefineMachineRequest& request) { request.nvram = "/new/n.fd"; });
  EXPECT_THAT(xml, HasSubstr("<nvram template=\"/t\">/new/n.fd</nvram>"));
}

TEST(DefinitionForImport, KeepsFirmwareVariablesInAFileWhateverTheyWereIn) {
  const std::string xml =
      import_of(machine(file_disk("vda"), "<os><nvram type='block'><source dev='/dev/x'/></nvram></os>"),
                [](service::DefineMachineRequest& request) { request.nvram = "/new/n.fd"; });
  EXPECT_THAT(xml, HasSubstr("<nvram>/new/n.fd</nvram>"));
}

TEST(DefinitionForImport, LetsLibvirtMakeFirmwareVariablesFromTheTemplate) {
  EXPECT_THAT(import_of(machine(file_disk("vda"), "<os><nvram template='/t'>/old.fd</nvram></os>")),
              HasSubstr("<nvram template=\"/t\"/>"));
  EXPECT_THAT(import_of(machine(file_disk("vda"), "<os><nvram type='block'><source dev='/dev/x'/></nvram></os>")),
              AllOf(Not(HasSubstr("nvram")), Not(HasSubstr("/dev/x"))));
}

TEST(DefinitionForImport, DoesNotOpenDisplaysToANetwork) {
  const std::string xml = machine(file_disk("vda") +
                                  "<graphics type='vnc' port='5901' autoport='no' listen='0.0.0.0' passwd='p'>"
                                  "<listen type='address' address='0.0.0.0'/></graphics>");
  EXPECT_THAT(import_of(xml), AllOf(Not(HasSubstr("0.0.0.0")), Not(HasSubstr("passwd")), Not(HasSubstr("5901")),
                                    HasSubstr("autoport=\"yes\"")));
  EXPECT_THAT(import_of(xml, with_kept_ids), HasSubstr("5901"));
}

TEST(DefinitionForImport, KeepsTheKindOfAListenerButNotItsSocket) {
  const std::string xml =
      import_of(machine(file_disk("vda") + "<graphics type='vnc'><listen type='socket' socket='/x.sock'/></graphics>"
                                           "<graphics type='spice'><listen type='none'/></graphics>"));
  EXPECT_THAT(xml, AllOf(Not(HasSubstr("/x.sock")), HasSubstr("<listen type=\"socket\"/>"),
                         HasSubstr("<listen type=\"none\"/>")));
}

TEST(DefinitionForImport, RenewsTheVsockAddressUnlessIdsAreKept) {
  const std::string xml = machine(file_disk("vda") + "<vsock><cid auto='no' address='77'/></vsock>");
  EXPECT_THAT(import_of(xml), AllOf(Not(HasSubstr("77")), HasSubstr("auto=\"yes\"")));
  EXPECT_THAT(import_of(xml, with_kept_ids), HasSubstr("77"));
}

TEST(DefinitionForImport, EditsEveryOccurrenceOfAnElement) {
  const std::string xml = "<domain><name>a</name><name>b</name><uuid>" + std::string(kUuid) +
                          "</uuid><os><nvram>/x</nvram>" + "</os><os><nvram>/x</nvram></os><devices/><devices>" +
                          file_disk("vda", "<source file='/x'/><x:source xmlns:x='urn:x' file='/x'/>") +
                          "</devices></domain>";
  EXPECT_THAT(import_of(xml), AllOf(Not(HasSubstr("/x\"")), Not(HasSubstr(">/x<")), Not(HasSubstr("<name>b"))));
}

TEST(DefinitionForImport, RefusesNamesThatXmlCannotCarry) {
  service::DefineMachineRequest request;
  request.configuration = machine("");
  request.name = std::string("a\x01");
  EXPECT_EQ(definition_for_import(request, MachineId::generate()).error().code, ErrorCode::kInvalidArgument);
}

TEST(DefinitionForImport, MakesDefinitionsThatAreAcceptedAgain) {
  const std::string xml = import_of(machine(file_disk("vda") + "<serial type='file'/><graphics type='vnc'/>"));
  EXPECT_TRUE(find_refusals(xml).empty());
}

}  // namespace
}  // namespace cohort::hypervisor
