#include "package/seal.h"

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "package/layout.h"
#include "package/package_folder.h"
#include "package/test_package.h"
#include "package/verify.h"

namespace cohort::package {
namespace {

using testing::HasSubstr;

// A package of one machine with a qcow2 and a raw disk without hashes.
class SealTest : public testing::Test {
 protected:
  void SetUp() override {
    Writer writer(package_);
    begin_package(writer, manifest_);
    auto& machine = manifest_.machines[0];
    machine.nvram.reset();
    machine.tpm_state.clear();
    for (auto& disk : machine.disks) {
      disk.file = {disk.file.file, *size_of_file(writer.partial() / disk.file.file), {}};
      disk.content_hash.clear();
      disk.block_hashes.reset();
    }
    manifest_.format_version = manifest_.needed_version();
    ASSERT_TRUE(writer.publish(manifest_));
  }

  VerifyReport verified() {
    auto report = verify(package_, {}, {});
    EXPECT_TRUE(report) << report.error().describe();
    return report ? *std::move(report) : VerifyReport{};
  }
  Result<Manifest> sealed(const std::stop_token& stop = {}) {
    const auto manifest = read_manifest(package_);
    return seal(package_, manifest ? *manifest : Manifest{}, at_second(1'769'999'999), stop, [&](std::uint64_t bytes) {
      read_ += bytes;
      if (on_read_) on_read_();
    });
  }
  std::vector<std::string> files() {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(package_)) {
      if (entry.is_regular_file()) found.push_back(entry.path().lexically_relative(package_));
    }
    return found;
  }
  Path at(const std::string& file) { return package_ / file; }

  TemporaryFolder folder_;
  Path package_ = folder_.path() / "package";
  Manifest manifest_;
  std::uint64_t read_ = 0;
  std::function<void()> on_read_;
};

TEST_F(SealTest, APackageWithoutHashesIsOfTheThirdFormatAndNotSealed) {
  EXPECT_EQ(manifest_.format_version, 3);
  const VerifyReport report = verified();
  ASSERT_EQ(report.problems.size(), 2U);
  for (const auto& problem : report.problems) {
    EXPECT_EQ(to_string(problem.kind), "unsealed");
    EXPECT_THAT(problem.message, HasSubstr("verify --seal"));
  }
  EXPECT_EQ(report.failure(), ErrorCode::kInvalidState);
  EXPECT_EQ(report.verdict(), "is not sealed");
}

TEST_F(SealTest, GivesImagesTheirHashesAndLists) {
  const auto manifest = sealed();
  ASSERT_TRUE(manifest) << manifest.error().describe();
  EXPECT_EQ(manifest->format_version, 1);
  EXPECT_EQ(manifest->sealed, at_second(1'769'999'999));
  for (const auto& disk : manifest->machines[0].disks) {
    EXPECT_EQ(disk.file.sha256, sha256_of_file(at(disk.file.file)));
    ASSERT_TRUE(disk.block_hashes);
    EXPECT_EQ(disk.content_hash, sha256_of_file(at(disk.block_hashes->file)));
  }
  const VerifyReport report = verified();
  EXPECT_TRUE(report.is_whole()) << report.problems[0].message;
  EXPECT_TRUE(report.notes.empty());
  EXPECT_EQ(format_manifest(report.manifest), format_manifest(*manifest));
  EXPECT_EQ(read_, manifest->machines[0].disks[0].file.size + manifest->machines[0].disks[1].file.size);
}

// The raw disk's content hash is that of the bytes, as docs/package.md says.
TEST_F(SealTest, HashesWhatAGuestSees) {
  const auto manifest = sealed();
  ASSERT_TRUE(manifest);
  std::string lines = "1048576\n";
  const std::string block = Sha256::of(std::string(65536, 'x'));
  for (int i = 0; i < 16; ++i) lines += fmt::format("{} {}\n", i * 65536, block);
  EXPECT_EQ(manifest->machines[0].disks[1].content_hash, Sha256::of(lines));
}

TEST_F(SealTest, LeavesASealedPackageAsItIs) {
  ASSERT_TRUE(sealed());
  const std::string before = disk::content_of(at("cohort.json"));
  ASSERT_TRUE(seal(package_, *read_manifest(package_), at_second(1'770'000'000), {}, {}));
  EXPECT_EQ(disk::content_of(at("cohort.json")), before);
}

TEST_F(SealTest, MakesFilesAsOthersOfThePackageAre) {
  for (const auto& name : {std::string("SHA256SUMS"), manifest_.machines[0].disks[1].file.file}) {
    std::filesystem::permissions(at(name), std::filesystem::perms(0640));
  }
  const auto manifest = sealed();
  ASSERT_TRUE(manifest) << manifest.error().describe();
  const auto mode_of = [&](const std::string& name) { return std::filesystem::status(at(name)).permissions(); };
  EXPECT_EQ(mode_of("SHA256SUMS"), std::filesystem::perms(0640));
  EXPECT_EQ(mode_of(manifest->machines[0].disks[1].block_hashes->file), std::filesystem::perms(0640));
  EXPECT_EQ(mode_of("cohort.json"), std::filesystem::perms(0600));
}

TEST_F(SealTest, GivesNothingAwayThatHasTakenTheNameOfWhatItMade) {
  const Path secret = folder_.path() / "secret";
  disk::write_content(secret, "secret");
  std::filesystem::permissions(secret, std::filesystem::perms(0600));
  const Path model = folder_.path() / "model";
  disk::write_content(model, "");
  std::filesystem::permissions(model, std::filesystem::perms(0666));
  std::filesystem::create_symlink(secret, folder_.path() / "link");
  std::filesystem::create_hard_link(secret, folder_.path() / "hard link");
  for (const char* name : {"link", "hard link"}) adopt_owner(*open_readonly(model), folder_.path() / name);
  EXPECT_EQ(std::filesystem::status(secret).permissions(), std::filesystem::perms(0600));
}

TEST_F(SealTest, RefusesAManifestThatWasNotVerified) {
  const auto manifest = seal(package_, full_manifest(), at_second(1), {}, {});
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, ErrorCode::kCorrupt);
}

TEST_F(SealTest, RefusesAPackageThatAnotherProcessSeals) {
  const PackageFolder other = *PackageFolder::open(package_);
  ASSERT_TRUE(other.lock());
  const auto manifest = sealed();
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, ErrorCode::kInUse);
}

TEST_F(SealTest, IsAsBeforeWhenItWasCancelledAndUndone) {
  const auto before = files();
  const std::string list = disk::content_of(at("SHA256SUMS"));
  std::stop_source stop;
  on_read_ = [&] {
    // In the second image: the first has its list.
    if (read_ > manifest_.machines[0].disks[0].file.size) stop.request_stop();
  };
  const auto manifest = sealed(stop.get_token());
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, ErrorCode::kCancelled);
  EXPECT_NE(files(), before);
  EXPECT_EQ(undo_seal(package_), true);
  EXPECT_EQ(files(), before);
  EXPECT_EQ(disk::content_of(at("SHA256SUMS")), list);
}

TEST_F(SealTest, IsNotUndoneWhereNothingWasBegun) {
  std::filesystem::create_directory(at("cohort.json.new"));
  const auto before = std::filesystem::last_write_time(at("SHA256SUMS"));
  EXPECT_FALSE(sealed());
  EXPECT_EQ(undo_seal(package_), false);
  EXPECT_EQ(std::filesystem::last_write_time(at("SHA256SUMS")), before);
}

TEST_F(SealTest, RefusesAnImageThatNamesAnotherFile) {
  disk::write_content(folder_.path() / "secret", "secret");
  const Path image = at(manifest_.machines[0].disks[0].file.file);
  disk::qemu_img({"rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", folder_.path() / "secret", image});
  const auto before = files();
  const auto manifest = sealed();
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, ErrorCode::kCorrupt) << manifest.error().describe();
  EXPECT_EQ(files(), before);
}

class TakenName : public SealTest, public testing::WithParamInterface<const char*> {};

TEST_P(TakenName, IsNotReplaced) {
  const std::string list = *GetParam() != 0 ? GetParam() : block_hashes_file(manifest_.machines[0].name, "vda");
  std::filesystem::rename(at(manifest_.machines[0].configuration.file), at(list));
  manifest_.machines[0].configuration.file = list;
  disk::write_content(at("cohort.json"), format_manifest(manifest_));
  const auto manifest = sealed();
  ASSERT_FALSE(manifest);
  EXPECT_THAT(manifest.error().message, HasSubstr(list));
  EXPECT_EQ(undo_seal(package_), false);
  EXPECT_EQ(disk::content_of(at(list)), "<domain/>");
}

INSTANTIATE_TEST_SUITE_P(Seal, TakenName, testing::Values("", "cohort.json.new", "SHA256SUMS.new"),
                         [](const auto& each) { return "Number" + std::to_string(each.index); });

TEST_F(SealTest, FollowsNoLinkOutOfThePackage) {
  std::filesystem::rename(at("Virtual Hard Disks"), at("Images"));
  for (auto& disk : manifest_.machines[0].disks) {
    disk.file.file.replace(0, std::string("Virtual Hard Disks").size(), "Images");
  }
  disk::write_content(at("cohort.json"), format_manifest(manifest_));
  const Path elsewhere = folder_.path() / "elsewhere";
  std::filesystem::create_directory(elsewhere);
  std::filesystem::create_directory_symlink(elsewhere, at("Virtual Hard Disks"));
  EXPECT_FALSE(sealed());
  EXPECT_TRUE(std::filesystem::is_empty(elsewhere));
}

// What a process leaves that dies right before the manifest is replaced.
TEST_F(SealTest, CanBeUndoneWhenItWasCutOff) {
  const auto before = files();
  const std::string text = disk::content_of(at("cohort.json"));
  const std::string list = disk::content_of(at("SHA256SUMS"));
  ASSERT_TRUE(sealed());
  disk::write_content(at("cohort.json.new"), disk::content_of(at("cohort.json")));
  disk::write_content(at("cohort.json"), text);
  EXPECT_EQ(verified().failure(), ErrorCode::kCorrupt);

  EXPECT_EQ(undo_seal(package_), true);
  EXPECT_EQ(verified().failure(), ErrorCode::kInvalidState);
  EXPECT_EQ(disk::content_of(at("SHA256SUMS")), list);
  EXPECT_THAT(files(), testing::UnorderedElementsAreArray(before));
}

TEST_F(SealTest, IsNotUndoneOnceItIsComplete) {
  ASSERT_TRUE(sealed());
  EXPECT_EQ(undo_seal(package_), false);
  EXPECT_TRUE(verified().is_whole());
  const auto undone = undo_seal(folder_.path() / "nothing");
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cohort::package
