#include "package/manifest.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "package/test_manifest.h"

namespace cohort::package {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const Path kGolden = COHORT_GOLDEN_FOLDER "/manifest.json";

// COHORT_ACCEPT=1 writes the golden files anew; the difference is read in review.
TEST(ManifestTest, IsWrittenAsTheGoldenFileSays) {
  const std::string text = format_manifest(full_manifest());
  if (std::getenv("COHORT_ACCEPT") != nullptr) {
    ASSERT_TRUE(remove_file(kGolden));
    ASSERT_TRUE(create_file(kGolden, text, 0644));
  }
  const auto golden = read_file(kGolden, 1U << 20U);
  ASSERT_TRUE(golden) << golden.error().describe();
  EXPECT_EQ(text, *golden);
}

TEST(ManifestTest, ReadsWhatItWrote) {
  const auto parsed = parse_manifest(format_manifest(full_manifest()));
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(format_manifest(*parsed), format_manifest(full_manifest()));
  EXPECT_EQ(parsed->machines[0].disks[1].virtual_size, 1'048'576U);
  EXPECT_EQ(parsed->machines[0].left_out[0].reason, LeftOutReason::kCdrom);
  EXPECT_TRUE(parsed->fence.is_proven());
}

TEST(ManifestTest, ReadsAnEmptyOne) {
  Manifest manifest = full_manifest();
  manifest.machines.clear();
  manifest.fence.overlap_begin.reset();
  manifest.has_storage = false;
  const auto parsed = parse_manifest(format_manifest(manifest));
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_FALSE(parsed->fence.overlap_begin);
  EXPECT_FALSE(parsed->has_storage);
}

// As packages were before guests could be frozen.
TEST(ManifestTest, ReadsOneThatSaysNothingOfFreezing) {
  json earlier = json::parse(format_manifest(full_manifest()));
  for (auto& machine : earlier["machines"]) {
    machine.erase("consistency_reason");
    machine.erase("freeze_us");
  }
  const auto parsed = parse_manifest(earlier.dump());
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(parsed->machines[0].consistency_reason, "");
  EXPECT_FALSE(parsed->machines[0].frozen);
}

TEST(ManifestTest, ListsFilesInItsOwnOrder) {
  const Manifest manifest = full_manifest();
  std::vector<std::string> names;
  for (const auto* entry : manifest.files()) names.push_back(entry->file.substr(entry->file.rfind('/') + 1));
  EXPECT_THAT(names, testing::ElementsAre(
                         "0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e.xml", "0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e.nvram",
                         "tpm2-00.permall", "Datenbank für \"alle\"-vda.qcow2", "Datenbank für \"alle\"-vda.hashes",
                         "Datenbank für \"alle\"-vdb.raw", "1b1b1b1b-0b0b-4c0c-8d0d-0e0e0e0e0e0e.xml"));
}

TEST(ManifestTest, KnowsContentHashesOnlyWhereThePackageDoes) {
  json text = json::parse(format_manifest(full_manifest()));
  EXPECT_EQ(parse_manifest(text.dump())->machines[0].disks[0].content_hash, std::string(64, '9'));
  EXPECT_EQ(parse_manifest(text.dump())->machines[0].disks[1].content_hash, "");
  text["machines"][0]["disks"][0]["content_hash"] = "none";
  const auto parsed = parse_manifest(text.dump());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(parsed.error().message, HasSubstr("content_hash"));
}

TEST(ManifestTest, KnowsImagesWithoutHashesFromTheThirdFormatOn) {
  Manifest manifest = full_manifest();
  manifest.machines[0].disks[1].file.sha256.clear();
  EXPECT_EQ(manifest.needed_version(), 3);
  for (const int version : {1, 2}) {
    manifest.format_version = version;
    EXPECT_FALSE(parse_manifest(format_manifest(manifest)));
  }
  manifest.format_version = 3;
  const auto parsed = parse_manifest(format_manifest(manifest));
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_FALSE(parsed->is_sealed());
  EXPECT_EQ(format_manifest(*parsed), format_manifest(manifest));
  // The other files have theirs, and nothing is known of the content of an image that has none.
  json changed = json::parse(format_manifest(manifest));
  changed["machines"][0]["disks"][0]["sha256"] = nullptr;
  EXPECT_THAT(parse_manifest(changed.dump()).error().message, HasSubstr("disks[0]"));
  changed = json::parse(format_manifest(manifest));
  changed["machines"][0]["nvram"]["sha256"] = nullptr;
  EXPECT_FALSE(parse_manifest(changed.dump()));
}

TEST(ManifestTest, AnExportOfSomeDisksNeedsTheFourthFormat) {
  Manifest manifest = full_manifest();
  manifest.machines[0].left_out = {{"vdz", LeftOutReason::kNotChosen, "/x/z.qcow2"}};
  EXPECT_EQ(manifest.needed_version(), 4);
  manifest.format_version = 4;
  const auto parsed = parse_manifest(format_manifest(manifest));
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(parsed->machines[0].left_out.at(0).reason, LeftOutReason::kNotChosen);
}

TEST(ManifestTest, SaysWhosePlaceItHasTaken) {
  Manifest manifest = full_manifest();
  manifest.stands_for = std::string(64, '3');
  EXPECT_EQ(parse_manifest(format_manifest(manifest))->stands_for, manifest.stands_for);
  EXPECT_EQ(parse_manifest(format_manifest(full_manifest()))->stands_for, "");
  json text = json::parse(format_manifest(manifest));
  text["stands_for"] = "no hash";
  EXPECT_THAT(parse_manifest(text.dump()).error().message, HasSubstr("stands_for"));
}

TEST(ManifestTest, IgnoresFieldsThatItDoesNotKnow) {
  json text = json::parse(format_manifest(full_manifest()));
  text["future"] = {1, 2, 3};
  text["machines"][0]["disks"][0]["future"] = "x";
  EXPECT_TRUE(parse_manifest(text.dump()));
}

TEST(ManifestTest, RefusesANewerFormat) {
  json text = json::parse(format_manifest(full_manifest()));
  text["format_version"] = 5;
  const auto parsed = parse_manifest(text.dump());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kUnsupported);
}

// A package that older programs read wrongly is none that they read.
TEST(ManifestTest, KnowsAParentFromTheSecondFormatOn) {
  json text = json::parse(format_manifest(difference_manifest()));
  EXPECT_EQ(text["format_version"], 2);
  EXPECT_EQ(json::parse(format_manifest(full_manifest()))["format_version"], 1);
  text["format_version"] = 1;
  const auto parsed = parse_manifest(text.dump());
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("parent is not known"));
}

TEST(ManifestTest, ReadsTheParentThatItWrote) {
  const auto parsed = parse_manifest(format_manifest(difference_manifest()));
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(format_manifest(*parsed), format_manifest(difference_manifest()));
  EXPECT_EQ(parsed->parent->path, "../monday");
  EXPECT_EQ(parsed->machines[0].disks[0].backing_file(), "../../monday/Virtual Hard Disks/db-vda.qcow2");
  EXPECT_EQ(parsed->machines[0].disks[1].backing_file(), std::nullopt);
  EXPECT_EQ(parsed->machines[0].disks[1].whole_because, "The base has no such disk.");
}

class WrongParentTest : public testing::TestWithParam<std::tuple<std::string, json, std::string>> {};

TEST_P(WrongParentTest, IsRefusedAndNamed) {
  json text = json::parse(format_manifest(difference_manifest()));
  const auto& [place, value, message] = GetParam();
  text[json::json_pointer(place)] = value;
  const auto parsed = parse_manifest(text.dump());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(parsed.error().message, HasSubstr(message));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongParentTest,
    testing::Values(
        std::tuple("/parent/path", "/backup/monday", "parent.path is not the path of a package beside"),
        std::tuple("/parent/path", "../../../../etc", "parent.path is not the path"),
        std::tuple("/parent/path", "monday", "parent.path is not the path"),
        std::tuple("/parent/path", "../sunday", "disks[0].parent.file is not below the parent package"),
        std::tuple("/parent/manifest_sha256", "x", "parent.manifest_sha256"),
        std::tuple("/parent", json(), "disks[0].parent.file is not below the parent package"),
        std::tuple("/machines/0/disks/0/parent/file", "../monday/../x", "disks[0].parent.file is not below"),
        std::tuple("/machines/0/disks/0/parent/file", "/etc/passwd", "disks[0].parent.file is not below"),
        std::tuple("/machines/0/disks/0/parent/file", "../monday", "disks[0].parent.file is not below"),
        std::tuple("/machines/0/disks/0/parent/format", "vmdk", "disks[0].parent.format"),
        std::tuple("/machines/0/disks/0/parent/content_hash", "", "disks[0].parent.content_hash"),
        std::tuple("/machines/0/disks/0/format", "raw", "disks[0].parent is of a disk that is no qcow2"),
        std::tuple("/machines/0/disks/0/block_hashes/sha256", std::string(64, '0'), "disks[0].block_hashes has a")));

TEST(ManifestTest, RefusesTextThatIsNoManifest) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("\"\xff\""),
        std::string("{\"format_version\": 1}"), std::string(100'000, '['), std::string(100'000, '{')}) {
    const auto parsed = parse_manifest(text);
    ASSERT_FALSE(parsed) << text.substr(0, 20);
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  }
}

TEST(ManifestTest, DoesNotCountBracketsInTexts) {
  Manifest manifest = full_manifest();
  manifest.snapshot_name = std::string(50, '[') + "\\\"" + std::string(50, '{');
  const auto parsed = parse_manifest(format_manifest(manifest));
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(parsed->snapshot_name, manifest.snapshot_name);
}

TEST(ManifestTest, ReadsManyKeysInReasonableTime) {
  std::string text = "{\"format_version\": 1";
  for (int i = 0; i < 200'000; ++i) text += fmt::format(",\"k{}\":0", i);
  EXPECT_FALSE(parse_manifest(text + "}"));
}

// A place in the full manifest, a value put there, and what the error says.
struct Wrong {
  std::string place;
  json value;
  std::string message;
};

class WrongFieldTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongFieldTest, IsRefusedAndNamed) {
  json text = json::parse(format_manifest(full_manifest()));
  text.at(json::json_pointer(GetParam().place)) = GetParam().value;
  const auto parsed = parse_manifest(text.dump());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(parsed.error().message, HasSubstr(GetParam().message));
}

const std::string kWebId = "1b1b1b1b-0b0b-4c0c-8d0d-0e0e0e0e0e0e";

INSTANTIATE_TEST_SUITE_P(
    All, WrongFieldTest,
    testing::Values(
        Wrong{"/format_version", 0, "format_version"}, Wrong{"/format_version", -1, "format_version"},
        Wrong{"/format_version", "1", "format_version"}, Wrong{"/format_version", 1.5, "format_version"},
        Wrong{"/created", "yesterday", "created is not a time"}, Wrong{"/created_by", 7, "created_by is not a text"},
        Wrong{"/collection", nullptr, "collection is not an object"},
        Wrong{"/collection/id", "x", "collection.id is not a UUID"},
        Wrong{"/collection/name", "", "collection.name is empty"},
        Wrong{"/snapshot/name", "a\x1b[2J", "snapshot.name has control characters"},
        Wrong{"/snapshot/name", std::string(2000, 'x'), "snapshot.name is longer"},
        Wrong{"/snapshot/instant", 12, "snapshot.instant"}, Wrong{"/fence", json::array(), "fence is not an object"},
        Wrong{"/fence/deadline_ms", -5, "fence.deadline_ms"},
        Wrong{"/fence/raised_us", 1e300, "fence.raised_us is not a whole number"},
        Wrong{"/fence/overlap_begin", "", "fence.overlap_begin"},
        Wrong{"/has_storage", 1, "has_storage is neither true nor false"},
        Wrong{"/machines", json::object(), "machines is not a list"},
        Wrong{"/machines/0", "x", "machines[0] is not an object"},
        Wrong{"/machines/1/id", "0A0A0A0A-0b0b-4c0c-8d0d-0e0e0e0e0e0e", "machines[1] has the id of another"},
        Wrong{"/machines/1/name", "Datenbank für \"alle\"", "machines[1] has the name of another"},
        Wrong{"/machines/0/power", "on", "machines[0].power"},
        Wrong{"/machines/0/pause", true, "machines[0].pause is not an object"},
        Wrong{"/machines/0/configuration", nullptr, "machines[0].configuration is not an object"},
        Wrong{"/machines/0/configuration/file", "../x", "configuration.file is not a path below the package: \"../x\""},
        Wrong{"/machines/0/configuration/file", "/etc/passwd", "configuration.file is not a path below"},
        Wrong{"/machines/0/nvram/file", "cohort.json", "nvram.file is a name with a use of its own"},
        Wrong{"/machines/0/nvram/file", "Virtual Machines/" + kWebId + ".xml", "a second time"},
        Wrong{"/machines/0/nvram/file", "Virtual Hard Disks", "lies below a file"},
        Wrong{"/machines/0/nvram/size", -1, "machines[0].nvram.size"},
        Wrong{"/machines/0/nvram/sha256", std::string(64, 'A'), "machines[0].nvram.sha256"},
        Wrong{"/machines/0/nvram/sha256", "abc", "machines[0].nvram.sha256"},
        Wrong{"/machines/0/tpm_state", nullptr, "machines[0].tpm_state is not a list"},
        Wrong{"/machines/0/disks/0/format", "vmdk", "machines[0].disks[0].format"},
        Wrong{"/machines/0/disks/0/virtual_size", 18446744073709551615U, "virtual_size is too large"},
        Wrong{"/machines/0/disks/1/target", "vda", "machines[0].disks[1] has the target"},
        Wrong{"/machines/0/left_out/0/target", "vda", "machines[0].left_out[0] has the target"},
        Wrong{"/machines/0/left_out/0/reason", "whim", "machines[0].left_out[0].reason"}));

TEST(IsSafePathTest, TakesPathsBelowThePackage) {
  for (const std::string& path : {std::string("a"), std::string("Virtual Hard Disks/a b:c,ä-vda.qcow2"),
                                  std::string("..."), std::string("a..b/..c"), std::string("1/2/3/4/5/6/7/8")}) {
    EXPECT_TRUE(is_safe_path(path)) << path;
  }
}

TEST(IsSafePathTest, RefusesAllOthers) {
  for (const std::string& path :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."), std::string(".."),
        std::string("a/../b"), std::string("a/./b"), std::string("a\\b"), std::string("a\nb"), std::string("a\0b", 3),
        std::string("a\x7f"), std::string("\xff"), std::string("\xc0\xae\xc0\xae/x"), std::string("1/2/3/4/5/6/7/8/9"),
        std::string(256, 'x'), std::string(1025, 'x')}) {
    EXPECT_FALSE(is_safe_path(path)) << path;
  }
}

TEST(LayoutTest, MakesSafePathsOfAnyName) {
  for (const std::string& name : {std::string("web"), std::string(".."), std::string("a/b"), std::string("a\\b\nc\t"),
                                  std::string("\xff\xfe"), std::string(300, 'x'), std::string("ä€😀")}) {
    const std::string path = disk_file(name, "vda", "qcow2");
    EXPECT_TRUE(is_safe_path(path)) << path;
    EXPECT_THAT(path, testing::StartsWith("Virtual Hard Disks/"));
    EXPECT_THAT(path, testing::EndsWith("-vda.qcow2"));
  }
}

TEST(LayoutTest, KeepsNamesThatNeedNoChange) {
  EXPECT_EQ(disk_file("Büro 1", "sda", "raw"), "Virtual Hard Disks/Büro 1-sda.raw");
}

TEST(LayoutTest, KeepsChangedNamesApart) {
  EXPECT_NE(disk_file("a/b", "vda", "raw"), disk_file("a\\b", "vda", "raw"));
  EXPECT_NE(disk_file(std::string(300, 'x') + "1", "vda", "raw"), disk_file(std::string(300, 'x') + "2", "vda", "raw"));
}

TEST(LayoutTest, CutsBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "ä";
  EXPECT_TRUE(is_safe_path(disk_file(name, "vda", "raw")));
  EXPECT_TRUE(is_safe_path(disk_file("x" + name, "vda", "raw")));
}

}  // namespace
}  // namespace cohort::package
