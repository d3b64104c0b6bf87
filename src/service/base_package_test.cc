#include "service/base_package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/layout.h"
#include "service/frozen_stamps.h"
#include "service/testing/package_lab.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// "nightly" was exported to "package" and is a reference point now, "second" is one that was taken after it. Web's disk
// vda has a real frozen file.
class BasePackageTest : public ::testing::Test {
 protected:
  BasePackageTest() {
    EXPECT_TRUE(create_file(frozen, "at the instant"));
    Snapshot snapshot = lab.kept.snapshots()->front();
    snapshot.members[0].disks[0].frozen.path = frozen;
    stamp_frozen_files(snapshot);
    EXPECT_TRUE(lab.kept.update_snapshot(snapshot));
    EXPECT_TRUE(lab.run_export(lab.export_request()));
    EXPECT_TRUE(lab.convert("nightly"));
    EXPECT_TRUE(lab.create_reference_point("second"));
    lab.control.clear();
  }

  [[nodiscard]] ExportRequest request() const {
    ExportRequest request;
    request.snapshot = "second";
    request.is_reference_point = true;
    request.directory = lab.folder.path() / "difference";
    request.since_point = "nightly";
    return request;
  }
  [[nodiscard]] std::string parent_of(const Path& package) {
    const auto manifest = package::read_manifest(package);
    return manifest && manifest->parent ? manifest->parent->path : "none";
  }
  void expect_refused(const ExportRequest& wanted, const std::string& words) {
    const auto refused = lab.run_export(wanted);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kNotFound) << refused.error().describe();
    EXPECT_THAT(refused.error().message, HasSubstr(words));
    EXPECT_FALSE(std::filesystem::exists(wanted.directory));
  }

  PackageLab lab;
  Path frozen = lab.folder.path() / "web-vda.raw";
};

TEST_F(BasePackageTest, IsFoundBesideTheNewPackage) {
  const auto report = lab.run_export(request());
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(parent_of(request().directory), "../package");
  ASSERT_TRUE(report->parent);
  EXPECT_EQ(report->parent->snapshot_name, "nightly");
}

TEST_F(BasePackageTest, IsFoundUnderTheSameNameInAFolderBeside) {
  const Path monday = lab.folder.path() / "monday";
  const Path tuesday = lab.folder.path() / "tuesday";
  ASSERT_TRUE(make_directories(monday));
  ASSERT_TRUE(make_directories(tuesday));
  std::filesystem::rename(lab.target(), monday / "shop");
  auto wanted = request();
  wanted.directory = tuesday;
  wanted.subdirectory = true;
  const auto report = lab.run_export(wanted);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(parent_of(tuesday / "shop"), "../../monday/shop");
}

TEST_F(BasePackageTest, ThatStandsOnTheFewestIsTaken) {
  ASSERT_TRUE(lab.run_export(request()));
  auto whole = request();
  whole.since_point.clear();
  whole.directory = lab.folder.path() / "whole";
  ASSERT_TRUE(lab.run_export(whole));
  ASSERT_TRUE(lab.take_of_shop("third"));
  auto third = request();
  third.snapshot = "third";
  third.is_reference_point = false;
  third.since_point = "second";
  third.directory = lab.folder.path() / "third";
  ASSERT_TRUE(lab.run_export(third));
  // Web's disk has no stamp in "second", so all are whole: what is looked at is the package that was found.
  const auto all = lab.kept.snapshots().value();
  EXPECT_EQ(find_package_of(all[1], third.directory, {}).value(), whole.directory);
}

TEST_F(BasePackageTest, SaysWhereItWasLookedForAndWhyNoneWillDo) {
  std::filesystem::rename(lab.target(), lab.folder.path() / "package.partial");
  auto wanted = request();
  expect_refused(wanted, "no package of the reference point \"nightly\"");
  std::filesystem::rename(lab.folder.path() / "package.partial", lab.target());
  const auto manifest = package::read_manifest(lab.target());
  std::filesystem::resize_file(lab.target() / manifest->machines[0].disks[0].file.file, 1);
  expect_refused(wanted, "package\" cannot be it:");
  wanted.since_point = "nobody";
  expect_refused(wanted, "no snapshot or reference point");
}

TEST_F(BasePackageTest, IsNotThatOfALaterOne) {
  auto whole = request();
  whole.since_point.clear();
  whole.directory = lab.folder.path() / "whole";
  ASSERT_TRUE(lab.run_export(whole));
  auto wanted = request();
  wanted.snapshot = "nightly";
  wanted.since_point = "second";
  const auto refused = lab.run_export(wanted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(BasePackageTest, AReferencePointIsExportedOnlyAsOne) {
  auto wanted = request();
  wanted.is_reference_point = false;
  const auto refused = lab.run_export(wanted);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidState);
}

TEST_F(BasePackageTest, OnlyTheDisksThatAreChosenAreInAPackage) {
  auto wanted = request();
  wanted.disks = {{"web", "vda"}, {"database", lab.kept.snapshots()->back().members[1].disks[0].id.str()}};
  const auto report = lab.run_export(wanted);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_THAT(report->disks, SizeIs(2));
  const auto manifest = package::read_manifest(wanted.directory);
  ASSERT_TRUE(manifest) << manifest.error().describe();
  EXPECT_EQ(manifest->format_version, package::kFormatVersion);
  EXPECT_THAT(manifest->machines, SizeIs(4));
  EXPECT_THAT(manifest->machines[0].disks, SizeIs(1));
  ASSERT_THAT(manifest->machines[0].left_out, SizeIs(1));
  EXPECT_EQ(manifest->machines[0].left_out[0].target, "vdb");
  EXPECT_EQ(manifest->machines[0].left_out[0].reason, LeftOutReason::kNotChosen);
  EXPECT_THAT(manifest->machines[1].disks, SizeIs(1));
  EXPECT_THAT(manifest->machines[2].disks, SizeIs(0));
}

TEST_F(BasePackageTest, ADiskThatIsNotThereIsNamed) {
  auto wanted = request();
  wanted.disks = {{"web", "vda"}, {"web", "vdz"}};
  expect_refused(wanted, "no disk vdz of a machine \"web\"");
}

}  // namespace
}  // namespace cohort::service
