#include "hypervisor/configuration_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/file.h"
#include "hypervisor/domain_xml.h"

namespace cohort::hypervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Path kSource = COHORT_SOURCE_DIR;
const Path kOrdinary = kSource / "tests/configurations";
const Path kHostile = kSource / "tests/hostile/configurations";
const Path kFuzzCorpus = kSource / "fuzz/corpus/configuration";

std::vector<Path> files_in(const Path& folder) {
  std::vector<Path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().filename() != "expected") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string content(const Path& path) { return read_file(path, 8U << 20).value(); }

std::string brief(const Refusal& refusal) { return fmt::format("{} {}", to_string(refusal.kind), refusal.path); }

// File name -> "kind path" of each refusal.
std::map<std::string, std::vector<std::string>> expected_refusals() {
  std::map<std::string, std::vector<std::string>> expected;
  std::istringstream lines(content(kHostile / "expected"));
  for (std::string line; std::getline(lines, line);) {
    if (const std::size_t space = line.find(' '); !line.starts_with('#')) {
      expected[line.substr(0, space)].push_back(line.substr(space + 1));
    }
  }
  return expected;
}

// A machine with more in it, at one of the levels.
std::string machine_with(const std::string& device, const std::string& top = {}) {
  return "<domain type='qemu'><name>m</name>" + top + "<devices>" + device + "</devices></domain>";
}

std::vector<std::string> refused(const std::string& xml) {
  std::vector<std::string> result;
  for (const Refusal& each : find_refusals(xml)) {
    result.push_back(brief(each));
  }
  return result;
}

TEST(FindRefusals, AcceptsWhatLibvirtAndUsualToolsWrite) {
  const auto files = files_in(kOrdinary);
  ASSERT_GE(files.size(), 10U);
  for (const Path& file : files) {
    EXPECT_THAT(refused(content(file)), IsEmpty()) << file;
  }
}

TEST(FindRefusals, NamesAllThatIsHostile) {
  const auto expected = expected_refusals();
  for (const Path& file : files_in(kHostile)) {
    const auto found = expected.find(file.filename().string());
    ASSERT_NE(found, expected.end()) << file << " is not in the list of what is expected";
    EXPECT_EQ(refused(content(file)), found->second) << file;
  }
}

TEST(FindRefusals, ListsOnlyHostileFilesThatExist) {
  for (const auto& [name, refusals] : expected_refusals()) {
    EXPECT_TRUE(std::filesystem::exists(kHostile / name)) << name;
  }
}

TEST(FindRefusals, GivesAReasonForTheOperator) {
  const auto refusals = find_refusals(machine_with("<hostdev/>"));
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].message, "It passes a device of this host to the guest.");
}

TEST(FindRefusals, ShowsWhatAStrangerWroteInPrintableCharactersOnly) {
  const auto refusals = find_refusals(machine_with("<emulator>/tmp/\xc2\x9b[2J\xe2\x80\xae</emulator><h\xc3\xb6st/>"));
  ASSERT_EQ(refusals.size(), 2U);
  for (const Refusal& each : refusals) {
    const std::string shown = each.path + each.message;
    EXPECT_TRUE(std::all_of(shown.begin(), shown.end(), [](char c) { return c >= ' ' && c <= '~'; })) << shown;
  }
}

TEST(FindRefusals, StopsAtALimit) {
  std::string devices;
  for (int i = 0; i < 1000; ++i) {
    devices += "<hostdev/>";
  }
  EXPECT_EQ(find_refusals(machine_with(devices)).size(), kMaxRefusals);
}

TEST(FindRefusals, RefusesALargeDocumentUnread) {
  const std::string xml = machine_with("", "<description>" + std::string(5U << 20, 'x') + "</description>");
  EXPECT_THAT(refused(xml), ElementsAre("malformed /"));
}

TEST(FindRefusals, AllowsSocketsOnlyForChannelsThatLibvirtMakes) {
  const std::string source = "<source mode='bind' path='/var/lib/libvirt/qemu/channel/target/domain-1-m/a.0'/>";
  EXPECT_THAT(refused(machine_with("<channel type='unix'>" + source + "</channel>")), IsEmpty());
  EXPECT_THAT(refused(machine_with("<channel type='unix'/>")), IsEmpty());
  EXPECT_THAT(refused(machine_with("<serial type='unix'>" + source + "</serial>")),
              ElementsAre("character-device /domain/devices/serial/@type"));
}

TEST(FindRefusals, AllowsAnythingInMetadata) {
  EXPECT_THAT(refused(machine_with("", "<metadata><a:b xmlns:a='urn:a' path='/etc'>/x</a:b></metadata>")), IsEmpty());
}

TEST(FindRefusals, AllowsAnyDiskBecauseTheImportReplacesOrRemovesIt) {
  EXPECT_THAT(refused(machine_with("<disk type='block' device='lun' rawio='yes' sgio='unfiltered'>"
                                   "<source dev='/dev/sda'/><target dev='sdb' bus='scsi'/></disk>")),
              IsEmpty());
}

TEST(CheckConfiguration, NamesAllRefusals) {
  const auto result = check_configuration(content(kHostile / "several.xml"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(result.error().message, HasSubstr("/domain/devices/hostdev (host-device)"));
  EXPECT_THAT(result.error().message, HasSubstr("/domain/devices/filesystem (host-path)"));
}

TEST(CheckConfiguration, LetsTrustedKindsPassAndNoOthers) {
  const std::string xml = content(kHostile / "several.xml");
  EXPECT_FALSE(check_configuration(xml, {RefusalKind::kHostDevice}));
  EXPECT_TRUE(
      check_configuration(xml, {RefusalKind::kHostDevice, RefusalKind::kHostPath, RefusalKind::kUnknownElement}));
}

TEST(CheckConfiguration, IsNotBlindedByManyThatAreTrusted) {
  std::string devices;
  for (std::size_t i = 0; i < kMaxRefusals; ++i) {
    devices += "<hostdev/>";
  }
  EXPECT_FALSE(check_configuration(machine_with(devices + "<filesystem/>"), {RefusalKind::kHostDevice}));
}

TEST(CheckConfiguration, NeverTrustsAMalformedDocument) {
  const auto result = check_configuration(content(kHostile / "doctype.xml"), {RefusalKind::kMalformed});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
}

TEST(FuzzCorpus, IsReadWithoutACrash) {
  const auto files = files_in(kFuzzCorpus);
  ASSERT_FALSE(files.empty());
  for (const Path& file : files) {
    service::DefineMachineRequest request;
    request.configuration = content(file);
    request.name = "m";
    request.disks = {{"vda", {"/disks/m-vda.qcow2", "qcow2"}}};
    std::ignore = find_refusals(request.configuration);
    std::ignore = read_domain(request.configuration);
    std::ignore = definition_for_import(request, MachineId::generate());
  }
}

}  // namespace
}  // namespace cohort::hypervisor
