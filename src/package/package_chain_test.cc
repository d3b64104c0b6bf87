#include "package/package_chain.h"

#include <gmock/gmock.h>

#include "package/test_chain.h"
#include "package/verify.h"

namespace cohort::package {
namespace {

using disk::qemu_img;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PackageChainTest : public testing::Test, protected TestChain {
 protected:
  // Another image in a package, with a manifest that fits it.
  void forge_image(const std::string& name, const std::vector<std::string>& options) {
    const Path image = at(name) / base_manifest().machines[0].disks[0].file.file;
    std::filesystem::remove(image);
    std::vector<std::string> create{"create", "-q", "-f", "qcow2", "-u"};
    create.insert(create.end(), options.begin(), options.end());
    create.insert(create.end(), {image.native(), "8M"});
    qemu_img(create);
    Manifest manifest = read_manifest(at(name)).value();
    auto& file = manifest.machines[0].disks[0].file;
    file.size = *size_of_file(image);
    file.sha256 = *sha256_of_file(image);
    write_manifest(name, format_manifest(manifest));
  }
  void write_manifest(const std::string& name, const std::string& text) {
    disk::write_content(at(name) / kManifestName, text);
    disk::write_content(at(name) / kHashListName, format_hash_list(parse_manifest(text).value(), text));
  }

  VerifyReport verified(const std::string& name, const VerifyOptions& options = {}) {
    auto report = verify(at(name), {}, {}, options);
    EXPECT_TRUE(report) << report.error().describe();
    return report ? *std::move(report) : VerifyReport{};
  }
  void expect_only(const std::string& name, const std::string& file, ProblemKind kind, const std::string& message) {
    const VerifyReport report = verified(name);
    ASSERT_EQ(report.problems.size(), 1U) << (report.problems.empty() ? "" : report.problems[0].message);
    EXPECT_EQ(report.problems[0].file, file);
    EXPECT_EQ(to_string(report.problems[0].kind), to_string(kind));
    EXPECT_THAT(report.problems[0].message, HasSubstr(message));
  }
};

TEST_F(PackageChainTest, IsFollowedToTheFullPackage) {
  write("0", "");
  write("1", "0");
  write("2", "1");
  const auto chain = open_chain(at("2"));
  ASSERT_TRUE(chain) << chain.error().describe();
  EXPECT_TRUE(check_complete(*chain)) << check_complete(*chain).error().describe();
  ASSERT_EQ(chain->links.size(), 3U);
  EXPECT_EQ(chain->links[2].name, "../0");
  EXPECT_EQ(chain->links[2].folder.path(), std::filesystem::canonical(at("0")));
  const auto layers = layers_of(*chain, base_manifest().machines[0].id, "vda");
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_FALSE(layers[2].disk->parent);
  const VerifyReport report = verified("2");
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_EQ(report.files, 9U);
  ASSERT_EQ(report.parents.size(), 2U);
  EXPECT_EQ(report.parents[0].snapshot_name, "1");
}

TEST_F(PackageChainTest, AMergedPackageIsFollowedInThePlaceOfTheDifference) {
  write("0", "");
  write("1", "0");
  write("2", "1");
  const std::string text = read_file(at("1") / kManifestName, 1U << 20U).value();
  const Manifest before = parse_manifest(text).value();
  const auto stand_in = [&](const std::string& parent, const std::string& stands_for) {
    std::filesystem::remove_all(at("1"));
    write("1", parent, [&](Manifest& manifest) {
      manifest.snapshot = before.snapshot;
      manifest.machines[0].disks[0].content_hash = before.machines[0].disks[0].content_hash;
      manifest.machines[0].disks[0].block_hashes.reset();
      manifest.stands_for = stands_for;
    });
  };
  stand_in("", Sha256::of(text));
  EXPECT_EQ(open_chain(at("2"))->links.size(), 2U);
  EXPECT_TRUE(check_complete(*open_chain(at("2"))));
  stand_in("", std::string(64, '0'));
  expect_only("2", "../1/cohort.json", ProblemKind::kWrongParent, "manifest is another");
  // One that stands on others itself has merged nothing.
  stand_in("0", Sha256::of(text));
  expect_only("2", "../1/cohort.json", ProblemKind::kWrongParent, "manifest is another");
}

TEST_F(PackageChainTest, WorksThroughALinkToThePackage) {
  write("0", "");
  write("1", "0");
  ASSERT_TRUE(make_directories(at("elsewhere/deep")));
  std::filesystem::create_directory_symlink(at("1"), at("elsewhere/deep/link"));
  EXPECT_THAT(verified("elsewhere/deep/link").problems, IsEmpty());
}

TEST_F(PackageChainTest, NamesAParentThatIsMissing) {
  write("0", "");
  write("1", "0");
  write("2", "1");
  std::filesystem::rename(at("0"), at("moved"));
  expect_only("2", "../0/cohort.json", ProblemKind::kMissingParent, "snapshot \"0\"");
  EXPECT_EQ(check_complete(open_chain(at("2")).value()).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(verified("2", {.with_parents = false}).problems, IsEmpty());
  EXPECT_THAT(verified("2", {.with_parents = false}).parents, IsEmpty());
}

TEST_F(PackageChainTest, NoticesAParentThatWasSwapped) {
  write("0", "");
  write("1", "0");
  std::filesystem::rename(at("0"), at("moved"));
  write("0", "");
  expect_only("1", "../0/cohort.json", ProblemKind::kWrongParent, "its manifest is another");
  EXPECT_EQ(check_complete(open_chain(at("1")).value()).error().code, ErrorCode::kCorrupt);
}

TEST_F(PackageChainTest, FindsDamageInAParent) {
  write("0", "");
  write("1", "0");
  const std::string file = base_manifest().machines[0].disks[0].file.file;
  std::filesystem::resize_file(at("0") / file, 65536);
  const VerifyReport report = verified("1");
  ASSERT_FALSE(report.problems.empty());
  EXPECT_EQ(report.problems[0].file, "../0/" + file);
  EXPECT_EQ(report.problems[0].kind, ProblemKind::kWrongSize);
}

TEST_F(PackageChainTest, NotesWhatDoesNotBelongToAParent) {
  write("0", "");
  write("1", "0");
  disk::write_content(at("0/more"), "x");
  const VerifyReport report = verified("1");
  EXPECT_TRUE(report.is_whole());
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes[0].file, "../0/more");
}

TEST_F(PackageChainTest, FollowsNoLinkToAParent) {
  write("0", "");
  write("1", "0");
  std::filesystem::rename(at("0"), at("moved"));
  std::filesystem::create_directory_symlink(at("moved"), at("0"));
  expect_only("1", "../0/cohort.json", ProblemKind::kWrongParent, "not below folders");
}

TEST_F(PackageChainTest, TakesOnlyTheBackingFileThatTheManifestNames) {
  write("0", "");
  write("1", "0");
  const std::string file = base_manifest().machines[0].disks[0].file.file;
  for (const std::string& name : {std::string("/etc/passwd"), std::string("../../../0/" + file),
                                  (at("0") / file).string(), "../../0/./" + file}) {
    forge_image("1", {"-b", name, "-F", "qcow2"});
    expect_only("1", file, ProblemKind::kForeignFile, name);
  }
  forge_image("1", {"-b", "../../0/" + file, "-F", "raw"});
  expect_only("1", file, ProblemKind::kForeignFile, "raw");
  forge_image("1", {});
  expect_only("1", file, ProblemKind::kForeignFile, "nothing");
}

TEST_F(PackageChainTest, AllowsNoBackingFileToAPackageWithoutAParent) {
  write("0", "");
  write("1", "");
  const std::string file = base_manifest().machines[0].disks[0].file.file;
  forge_image("1", {"-b", "../../0/" + file, "-F", "qcow2"});
  expect_only("1", file, ProblemKind::kForeignFile, "it must stand alone");
}

TEST_F(PackageChainTest, ComparesWhatTheChildSaysOfEachDisk) {
  write("0", "");
  const auto expect_wrong = [&](const std::function<void(Manifest&)>& change, const std::string& message) {
    std::filesystem::remove_all(at("1"));
    write("1", "0", change);
    const auto chain = open_chain(at("1")).value();
    ASSERT_TRUE(chain.broken);
    EXPECT_THAT(chain.broken->message, HasSubstr(message));
  };
  expect_wrong([](Manifest& manifest) { manifest.collection = CollectionId::generate(); }, "of another collection");
  expect_wrong([](Manifest& manifest) { manifest.parent->snapshot = SnapshotId::generate(); }, "of another snapshot");
  expect_wrong([](Manifest& manifest) { manifest.machines[0].id = MachineId::generate(); }, "no such disk");
  const auto disk = [](Manifest& manifest) -> DiskEntry& { return manifest.machines[0].disks[0]; };
  expect_wrong([&](Manifest& manifest) { disk(manifest).target = "vdb"; }, "no such disk");
  expect_wrong([&](Manifest& manifest) { disk(manifest).parent->format = "raw"; }, "format is another");
  expect_wrong([&](Manifest& manifest) { disk(manifest).virtual_size += 512; }, "size is another");
  expect_wrong([&](Manifest& manifest) { disk(manifest).parent->content_hash = std::string(64, '0'); },
               "content is another");
  expect_wrong([&](Manifest& manifest) { disk(manifest).parent->file = "../0/cohort.json"; }, "file is another");
}

// A parent's manifest cannot have its child's hash, so a circle is a parent that is not the one that was meant.
TEST_F(PackageChainTest, EndsInACircle) {
  write("0", "");
  write("1", "0");
  Manifest manifest = read_manifest(at("0")).value();
  add_parent("1", manifest);
  write_manifest("0", format_manifest(manifest));
  const auto chain = open_chain(at("1")).value();
  EXPECT_EQ(chain.links.size(), 1U);
  EXPECT_EQ(chain.broken->kind, ProblemKind::kWrongParent);
}

TEST_F(PackageChainTest, EndsWhereItIsTooLong) {
  write("0", "");
  Manifest manifest = read_manifest(at("0")).value();
  for (int i = 1; i <= 1000; ++i) {
    const std::string name = std::to_string(i);
    std::filesystem::create_directory(at(name));
    add_parent(std::to_string(i - 1), manifest);
    manifest.snapshot = SnapshotId::generate();
    disk::write_content(at(name) / kManifestName, format_manifest(manifest));
  }
  const auto chain = open_chain(at("1000")).value();
  EXPECT_EQ(chain.links.size(), kMaxPackages);
  ASSERT_TRUE(chain.broken);
  EXPECT_EQ(chain.broken->kind, ProblemKind::kWrongParent);
  EXPECT_THAT(chain.broken->message, HasSubstr("99 others"));
  EXPECT_TRUE(check_complete(open_chain(at("99")).value()));
}

TEST(IsParentPathTest, TakesPackagesBesideAndNothingElse) {
  for (const char* path : {"../monday", "../../monday/shop", "../../../2026/11/28", "../a b:c,ä", "../..."}) {
    EXPECT_TRUE(is_parent_path(path)) << path;
  }
  for (const char* path :
       {"", "monday", "/backup/monday", "..", "../", "../..", "../../", "../.", "./../a", "../a/../b", "../a/..",
        "../../../../a", "../a/b/c/d", "../a//b", "../a\\b", "../a\nb", "..//a", "a/../b"}) {
    EXPECT_FALSE(is_parent_path(path)) << path;
  }
}

}  // namespace
}  // namespace cohort::package
