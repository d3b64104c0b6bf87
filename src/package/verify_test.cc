#include "package/verify.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>

#include "base/sha256.h"
#include "package/test_package.h"

namespace cohort::package {
namespace {

using disk::qemu_img;
using testing::HasSubstr;

// A package of one machine with a qcow2 and a raw disk, changed by each test as a stranger would.
class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    Writer writer(package_);
    begin_package(writer, manifest_);
    auto& machine = manifest_.machines[0];
    machine.nvram = *writer.add(machine.nvram->file, "variables");
    machine.tpm_state = {*writer.add(machine.tpm_state[0].file, "state")};
    qcow2().block_hashes = *writer.add(qcow2().block_hashes->file, "hashes");
    qcow2().content_hash = qcow2().block_hashes->sha256;
    measure(writer.partial(), qcow2().file);
    measure(writer.partial(), raw().file);
    ASSERT_TRUE(writer.publish(manifest_));
  }

  DiskEntry& qcow2() { return manifest_.machines[0].disks[0]; }
  DiskEntry& raw() { return manifest_.machines[0].disks[1]; }
  Path at(const std::string& file) { return package_ / file; }

  static void measure(const Path& folder, FileEntry& entry) {
    entry.size = *size_of_file(folder / entry.file);
    entry.sha256 = *sha256_of_file(folder / entry.file);
  }
  // Makes manifest and list fit the files again, as one who forges a package would.
  void forge() {
    for (auto* entry : {&qcow2().file, &raw().file}) measure(package_, *entry);
    write_manifest(format_manifest(manifest_));
  }
  void write_manifest(const std::string& text) {
    disk::write_content(at("cohort.json"), text);
    disk::write_content(at("SHA256SUMS"), format_hash_list(manifest_, text));
  }
  VerifyReport verified() {
    auto report = verify(package_, {}, {});
    EXPECT_TRUE(report) << report.error().describe();
    return report ? *std::move(report) : VerifyReport{};
  }
  void expect_only(const std::string& file, ProblemKind kind, const std::string& message) {
    const VerifyReport report = verified();
    ASSERT_EQ(report.problems.size(), 1U) << all(report);
    EXPECT_EQ(report.problems[0].file, file);
    EXPECT_EQ(to_string(report.problems[0].kind), to_string(kind));
    EXPECT_THAT(report.problems[0].message, HasSubstr(message));
    EXPECT_THAT(report.problems[0].message, testing::Not(HasSubstr("/proc/")));
  }
  static std::string all(const VerifyReport& report) {
    std::string text;
    for (const auto& problem : report.problems) {
      text += fmt::format("{} {}: {}\n", problem.file, to_string(problem.kind), problem.message);
    }
    return text;
  }

  TemporaryFolder folder_;
  Path package_ = folder_.path() / "package";
  Manifest manifest_;
};

TEST_F(VerifyTest, FindsNothingInAWholePackage) {
  const VerifyReport report = verified();
  EXPECT_TRUE(report.is_whole()) << all(report);
  EXPECT_TRUE(report.notes.empty());
  EXPECT_EQ(report.files, 6U);
  EXPECT_EQ(report.bytes, qcow2().file.size + raw().file.size + 9 + 9 + 5 + 6);
}

TEST_F(VerifyTest, TellsItsProgress) {
  std::uint64_t total = 0;
  std::uint64_t read = 0;
  const VerifyProgress progress{[&](std::uint64_t bytes) { total = bytes; },
                                [&](std::uint64_t bytes) { read += bytes; }};
  ASSERT_TRUE(verify(package_, {}, progress));
  EXPECT_EQ(read, total);
  EXPECT_GT(total, 1U << 20U);
}

TEST_F(VerifyTest, FindsAMissingFile) {
  std::filesystem::remove(at(raw().file.file));
  expect_only(raw().file.file, ProblemKind::kMissing, "not there");
}

TEST_F(VerifyTest, FindsOneChangedByte) {
  std::string content = disk::content_of(at(raw().file.file));
  content[500'000] = 'y';
  disk::write_content(at(raw().file.file), content);
  expect_only(raw().file.file, ProblemKind::kWrongHash, raw().file.sha256);
}

TEST_F(VerifyTest, FindsAnotherSize) {
  std::filesystem::resize_file(at(raw().file.file), 1000);
  expect_only(raw().file.file, ProblemKind::kWrongSize, "1000 bytes; the manifest says 1048576");
}

TEST_F(VerifyTest, NamesEveryProblem) {
  std::filesystem::remove(at(manifest_.machines[0].nvram->file));
  std::filesystem::resize_file(at(raw().file.file), 1000);
  std::filesystem::remove(at("SHA256SUMS"));
  const VerifyReport report = verified();
  EXPECT_EQ(report.problems.size(), 3U) << all(report);
}

TEST_F(VerifyTest, FollowsNoLinkToAFile) {
  std::filesystem::rename(at(raw().file.file), folder_.path() / "elsewhere");
  std::filesystem::create_symlink(folder_.path() / "elsewhere", at(raw().file.file));
  expect_only(raw().file.file, ProblemKind::kNotAFile, "link");
}

TEST_F(VerifyTest, FollowsNoLinkToAFolder) {
  std::filesystem::rename(at("Virtual Hard Disks"), folder_.path() / "elsewhere");
  std::filesystem::create_directory_symlink(folder_.path() / "elsewhere", at("Virtual Hard Disks"));
  const VerifyReport report = verified();
  ASSERT_EQ(report.problems.size(), 3U) << all(report);
  for (const auto& problem : report.problems) EXPECT_EQ(problem.kind, ProblemKind::kNotAFile);
}

TEST_F(VerifyTest, DoesNotWaitForAPipe) {
  std::filesystem::remove(at(raw().file.file));
  ASSERT_EQ(::mkfifo(at(raw().file.file).c_str(), 0600), 0);
  expect_only(raw().file.file, ProblemKind::kNotAFile, "not an ordinary file");
}

TEST_F(VerifyTest, TakesNoFolderForAFile) {
  std::filesystem::remove(at(raw().file.file));
  std::filesystem::create_directory(at(raw().file.file));
  expect_only(raw().file.file, ProblemKind::kNotAFile, "not an ordinary file");
}

TEST_F(VerifyTest, FindsADamagedImageWhoseHashFits) {
  std::string content = disk::content_of(at(qcow2().file.file));
  content.replace(0x20000, 32, std::string(32, '\0'));  // refcounts
  disk::write_content(at(qcow2().file.file), content);
  forge();
  expect_only(qcow2().file.file, ProblemKind::kBadImage, "is damaged");
}

TEST_F(VerifyTest, FindsAnImageThatIsNone) {
  disk::write_content(at(qcow2().file.file), std::string(1000, 'x'));
  forge();
  expect_only(qcow2().file.file, ProblemKind::kBadImage, "not a qcow2 image");
}

TEST_F(VerifyTest, FindsAnImageThatNamesABackingFile) {
  std::filesystem::remove(at(qcow2().file.file));
  qemu_img({"create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", at(qcow2().file.file), "8M"});
  forge();
  expect_only(qcow2().file.file, ProblemKind::kForeignFile, "/etc/passwd");
}

TEST_F(VerifyTest, FindsAnImageThatNamesADataFile) {
  std::filesystem::remove(at(qcow2().file.file));
  const std::string data = folder_.path() / "data";
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=" + data, at(qcow2().file.file), "8M"});
  forge();
  expect_only(qcow2().file.file, ProblemKind::kForeignFile, "another file");
}

TEST_F(VerifyTest, FindsSizesThatLie) {
  qcow2().virtual_size += 512;
  raw().virtual_size -= 512;
  forge();
  const VerifyReport report = verified();
  ASSERT_EQ(report.problems.size(), 2U) << all(report);
  EXPECT_EQ(report.problems[0].kind, ProblemKind::kBadImage);
  EXPECT_EQ(report.problems[1].kind, ProblemKind::kBadImage);
}

TEST_F(VerifyTest, SaysWhereTheListDiffers) {
  std::string list = disk::content_of(at("SHA256SUMS"));
  list[list.find('\n') + 1] = '-';
  disk::write_content(at("SHA256SUMS"), list);
  expect_only("SHA256SUMS", ProblemKind::kBadList, "line 2");
}

TEST_F(VerifyTest, FindsAListThatEndsEarly) {
  const std::string list = disk::content_of(at("SHA256SUMS"));
  disk::write_content(at("SHA256SUMS"), list.substr(0, list.find('\n') + 1));
  expect_only("SHA256SUMS", ProblemKind::kBadList, "differs");
}

TEST(VerifyReportTest, IsOfWhatCannotBeReadOnlyIfThatIsAll) {
  VerifyReport report;
  EXPECT_EQ(report.verdict(), "is whole");
  report.problems.push_back({"a", ProblemKind::kUnreadable, "x"});
  EXPECT_EQ(report.failure(), ErrorCode::kIo);
  EXPECT_EQ(report.verdict(), "cannot be read as a whole");
  report.problems.push_back({"b", ProblemKind::kWrongHash, "x"});
  EXPECT_EQ(report.failure(), ErrorCode::kCorrupt);
  EXPECT_EQ(report.verdict(), "is not whole");
}

TEST_F(VerifyTest, NotesFilesThatAreNotListed) {
  disk::write_content(at("notes.txt"), "x");
  disk::write_content(at("Virtual Machines/\xff\n"), "x");
  std::filesystem::create_symlink("/etc", at("link"));
  const VerifyReport report = verified();
  EXPECT_TRUE(report.is_whole());
  ASSERT_EQ(report.notes.size(), 3U);
  EXPECT_EQ(report.notes[0].file, "Virtual Machines/\\xff\\x0a");
  EXPECT_EQ(report.notes[1].file, "link");
  EXPECT_EQ(report.notes[2].kind, ProblemKind::kUnlisted);
}

TEST_F(VerifyTest, FailsWithoutAManifest) {
  std::filesystem::remove(at("cohort.json"));
  EXPECT_EQ(verify(package_, {}, {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(verify(folder_.path() / "absent", {}, {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(verify(at("SHA256SUMS"), {}, {}).error().code, ErrorCode::kNotFound);
}

TEST_F(VerifyTest, FailsWithAManifestThatIsALink) {
  std::filesystem::rename(at("cohort.json"), folder_.path() / "elsewhere");
  std::filesystem::create_symlink(folder_.path() / "elsewhere", at("cohort.json"));
  EXPECT_EQ(verify(package_, {}, {}).error().code, ErrorCode::kCorrupt);
}

TEST_F(VerifyTest, ReadsNoManifestOfAnySize) {
  std::filesystem::resize_file(at("cohort.json"), std::uintmax_t{1} << 40U);
  EXPECT_EQ(verify(package_, {}, {}).error().code, ErrorCode::kCorrupt);
}

TEST_F(VerifyTest, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  const auto report = verify(package_, stop.get_token(), {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
}

TEST_F(VerifyTest, StopsInTheMiddleOfAFile) {
  std::filesystem::resize_file(at(raw().file.file), std::uintmax_t{1} << 40U);
  raw().virtual_size = raw().file.size = std::uint64_t{1} << 40U;
  write_manifest(format_manifest(manifest_));
  std::stop_source stop;
  std::atomic<std::uint64_t> read = 0;
  const VerifyProgress progress{{}, [&](std::uint64_t bytes) {
                                  if ((read += bytes) > (30U << 20U)) stop.request_stop();
                                }};
  const auto report = verify(package_, stop.get_token(), progress);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace cohort::package
