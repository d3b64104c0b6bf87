#include "service/seal_package.h"

#include <gmock/gmock.h>

#include "package/layout.h"
#include "package/writer.h"
#include "service/testing/package_lab.h"

namespace cohort::service {
namespace {

using ::testing::IsEmpty;

// A package of raw disks without hashes.
class SealPackageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ExportRequest request = lab.export_request();
    request.is_hashed = false;
    ASSERT_TRUE(lab.run_export(request));
  }

  Result<package::VerifyReport> seal() {
    return lab.engine.run<package::VerifyReport>(JobType::kVerify, lab.target().string(), {}, [&](JobContext& job) {
      return seal_package(lab.target(), lab.clock, job);
    });
  }
  Path at(std::string_view file) { return lab.target() / file; }
  std::string content(std::string_view file) { return read_file(at(file), 1U << 20U).value_or("nothing"); }
  void write(std::string_view file, std::string_view text) {
    ASSERT_TRUE(remove_file(at(file)));
    ASSERT_TRUE(create_file(at(file), text));
  }

  PackageLab lab;
};

TEST_F(SealPackageTest, MakesAWholePackage) {
  const auto report = seal();
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_TRUE(report->is_whole());
  EXPECT_EQ(report->sealed, 5U);
  EXPECT_THAT(report->notes, IsEmpty());
  const auto verified = package::verify(lab.target(), {}, {});
  EXPECT_TRUE(verified->is_whole());
  EXPECT_EQ(package::format_manifest(verified->manifest), package::format_manifest(report->manifest));
  EXPECT_THAT(lab.left_open(), IsEmpty());
  const std::string before = content(package::kManifestName);
  EXPECT_EQ(seal()->sealed, 0U);
  EXPECT_EQ(content(package::kManifestName), before);
}

// The list is all that tells whether the manifest is what was exported.
TEST_F(SealPackageTest, SealsNothingIfTheManifestIsNotWhatTheListSays) {
  auto manifest = package::read_manifest(lab.target());
  manifest->collection_name = "another";
  write(package::kManifestName, package::format_manifest(*manifest));
  const std::string list = content(package::kHashListName);
  const auto report = seal();
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->failure(), ErrorCode::kCorrupt);
  EXPECT_EQ(report->sealed, 0U);
  EXPECT_EQ(content(package::kHashListName), list);
}

TEST_F(SealPackageTest, SealsNothingIfAnythingElseIsWrong) {
  const auto manifest = package::read_manifest(lab.target());
  write(manifest->machines[0].configuration.file, "changed");
  const std::string before = content(package::kManifestName);
  const auto report = seal();
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->failure(), ErrorCode::kCorrupt);
  EXPECT_EQ(content(package::kManifestName), before);
}

}  // namespace
}  // namespace cohort::service
