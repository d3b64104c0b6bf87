#include "service/difference_base.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "package/layout.h"
#include "service/frozen_stamps.h"
#include "service/testing/package_lab.h"
#include "service/testing/refused_export.h"

namespace cohort::service {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// "nightly" was exported to "package", and "second" was taken after it. Web's disk vda has a real frozen file.
class DifferenceBaseTest : public ::testing::Test {
 protected:
  DifferenceBaseTest() {
    EXPECT_TRUE(create_file(frozen, "at the instant"));
    Snapshot snapshot = of("nightly");
    snapshot.members[0].disks[0].frozen.path = frozen;
    stamp_frozen_files(snapshot);
    EXPECT_TRUE(lab.kept.update_snapshot(snapshot));
    EXPECT_TRUE(lab.run_export(lab.export_request()));
    EXPECT_TRUE(lab.take_of_shop("second"));
    lab.control.clear();
  }

  [[nodiscard]] Snapshot of(const std::string& name) {
    const auto all = lab.kept.snapshots().value();
    for (const auto& snapshot : all) {
      if (snapshot.name == name) return snapshot;
    }
    return {};
  }
  [[nodiscard]] ExportRequest request() const {
    ExportRequest request;
    request.snapshot = "second";
    request.directory = lab.folder.path() / "difference";
    request.since = lab.target();
    return request;
  }
  package::DiskEntry exported(const std::string& target) {
    const auto report = lab.run_export(request());
    EXPECT_TRUE(report) << report.error().describe();
    const auto manifest = package::read_manifest(request().directory);
    if (!manifest) return {};
    const package::DiskEntry* disk = manifest->find_disk(manifest->machines[0].id, target);
    return disk == nullptr ? package::DiskEntry{} : *disk;
  }
  void expect_refused(const ExportRequest& wanted, ErrorCode code, const std::string& words) {
    expect_refused_export(lab, wanted, code, words);
  }
  void change_manifest(const std::function<void(package::Manifest&)>& change) {
    const Path file = lab.target() / package::kManifestName;
    package::Manifest manifest = package::read_manifest(lab.target()).value();
    change(manifest);
    std::ofstream(file) << package::format_manifest(manifest);
  }

  PackageLab lab;
  Path frozen = lab.folder.path() / "frozen.qcow2";
};

TEST_F(DifferenceBaseTest, LetsADiskWhoseFrozenFileIsUnchangedBeADifference) {
  const auto disk = exported("vda");
  ASSERT_TRUE(disk.parent);
  EXPECT_EQ(disk.whole_because, "");
  EXPECT_EQ(disk.parent->file, "../package/" + package::disk_file("web", "vda", "raw"));
  ASSERT_THAT(lab.copier.bases(), SizeIs(1));
  EXPECT_EQ(lab.copier.bases()[0].frozen, frozen);
  EXPECT_EQ(lab.copier.bases()[0].parent_file, "../" + disk.parent->file);
  const auto manifest = package::read_manifest(request().directory).value();
  EXPECT_EQ(manifest.format_version, package::kSealedFormatVersion);
  EXPECT_EQ(manifest.parent->path, "../package");
  EXPECT_EQ(manifest.parent->snapshot, of("nightly").id);
  EXPECT_EQ(manifest.parent->manifest_sha256, *sha256_of_file(lab.target() / package::kManifestName));
}

TEST_F(DifferenceBaseTest, TellsOfEachDiskWhetherItIsOneAndWhyNot) {
  const auto report = lab.run_export(request());
  ASSERT_TRUE(report) << report.error().describe();
  ASSERT_THAT(report->disks, SizeIs(5));
  EXPECT_TRUE(report->disks[0].is_difference);
  EXPECT_EQ(report->disks[0].whole_because, "");
  EXPECT_FALSE(report->disks[1].is_difference);
  EXPECT_THAT(report->disks[1].whole_because, HasSubstr("not known whether"));
  EXPECT_TRUE(report->parent);
}

// The copies of the fake are no images: what comes of a merge is shown in tests/e2e.
TEST_F(DifferenceBaseTest, ThatCannotBeMergedLeavesNothing) {
  auto merged = request();
  merged.is_merged = true;
  const auto report = lab.run_export(merged);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(report.error().message, HasSubstr("difference.difference.partial"));
  EXPECT_FALSE(std::filesystem::exists(merged.directory));
  EXPECT_THAT(PackageLab::names_in(lab.folder.path()), Not(Contains(HasSubstr("difference"))));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(DifferenceBaseTest, ThatIsMergedIsAWholeExportWhereNoDiskCanBeOne) {
  change_manifest([](package::Manifest& manifest) { manifest.machines[0].disks[0].target = "vdz"; });
  auto merged = request();
  merged.is_merged = true;
  const auto report = lab.run_export(merged);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_FALSE(report->merged_from);
  EXPECT_THAT(lab.copier.layers(), IsEmpty());
}

TEST_F(DifferenceBaseTest, ThatIsToBeMergedIsGoneAfterADeathAtAnyCall) {
  auto merged = request();
  merged.is_merged = true;
  for (std::size_t number = 1;; ++number) {
    lab.control.clear();
    lab.control.die_at(number);
    static_cast<void>(lab.run_export(merged));
    const bool is_dead = lab.control.is_dead();
    SCOPED_TRACE(number);
    lab.control.clear();
    const auto recovered = lab.run_recover();
    ASSERT_TRUE(recovered) << recovered.error().describe();
    EXPECT_THAT(recovered->failures, IsEmpty());
    EXPECT_THAT(PackageLab::names_in(lab.folder.path()), Not(Contains(HasSubstr("difference"))));
    if (!is_dead) {
      EXPECT_GT(number, 20U);
      return;
    }
  }
}

TEST_F(DifferenceBaseTest, LetsADiskGoWholeThatWasWrittenTo) {
  std::ofstream(frozen, std::ios::app) << "later";
  // Before the second instant, so that one holds what was written.
  Snapshot second = of("second");
  second.instant = WallTime(std::chrono::hours(24 * 365 * 100));
  ASSERT_TRUE(lab.kept.update_snapshot(second));
  EXPECT_THAT(exported("vda").whole_because, HasSubstr("written to after the instant"));
}

TEST_F(DifferenceBaseTest, LetsADiskGoWholeThatTheBaseDoesNotHaveAsItIs) {
  change_manifest([](package::Manifest& manifest) { manifest.machines[0].disks[0].block_hashes.reset(); });
  EXPECT_THAT(exported("vda").whole_because, HasSubstr("no block hashes"));
  EXPECT_FALSE(package::read_manifest(request().directory)->parent);
  EXPECT_EQ(package::read_manifest(request().directory)->format_version, package::kWholeFormatVersion);
}

TEST_F(DifferenceBaseTest, LetsADiskGoWholeThatWasResized) {
  Snapshot second = of("second");
  second.members[0].disks[0].virtual_size *= 2;
  ASSERT_TRUE(lab.kept.update_snapshot(second));
  lab.copier.virtual_size(FakeDiskCopier::kVirtualSize);
  const auto plan = lab.exporter.plan(request());
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_THAT(plan->disks[0].choice.whole_because, HasSubstr("4096 bytes in the base and has 8192"));
}

TEST_F(DifferenceBaseTest, LetsADiskGoWholeThatIsNew) {
  change_manifest([](package::Manifest& manifest) { manifest.machines[0].disks[0].target = "vdz"; });
  EXPECT_THAT(exported("vda").whole_because, HasSubstr("no such disk"));
}

TEST_F(DifferenceBaseTest, LeavesTheLastWordToTheCopier) {
  lab.control.fail_next("measure_difference", ErrorCode::kUnsupported);
  const auto disk = exported("vda");
  EXPECT_FALSE(disk.parent);
  EXPECT_NE(disk.whole_because, "");
}

TEST_F(DifferenceBaseTest, LetsRawDisksGoWhole) {
  auto wanted = request();
  wanted.format = "raw";
  const auto plan = lab.exporter.plan(wanted);
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_FALSE(plan->parent);
  for (const auto& disk : plan->disks) EXPECT_THAT(disk.choice.whole_because, HasSubstr("qcow2"));
}

TEST_F(DifferenceBaseTest, RefusesABaseWhoseSnapshotIsGone) {
  ASSERT_TRUE(lab.kept.remove_snapshot(of("nightly").id));
  expect_refused(request(), ErrorCode::kNotFound, "Export without --since");
}

TEST_F(DifferenceBaseTest, RefusesABaseOfTheSameOrALaterSnapshot) {
  auto same = request();
  same.snapshot = "nightly";
  expect_refused(same, ErrorCode::kInvalidArgument, "same snapshot");
  Snapshot second = of("second");
  second.instant = of("nightly").instant - Microseconds(1);
  ASSERT_TRUE(lab.kept.update_snapshot(second));
  expect_refused(request(), ErrorCode::kInvalidArgument, "is later than");
}

TEST_F(DifferenceBaseTest, RefusesABaseOfAnotherCollection) {
  change_manifest([](package::Manifest& manifest) { manifest.collection = CollectionId::generate(); });
  expect_refused(request(), ErrorCode::kInvalidArgument, "of the collection");
}

TEST_F(DifferenceBaseTest, RefusesABaseThatIsNoPackageOrIsDamaged) {
  auto none = request();
  none.since = lab.folder.path();
  expect_refused(none, ErrorCode::kNotFound, "not a package");
  std::filesystem::remove(lab.target() / package::disk_file("web", "vda", "raw"));
  expect_refused(request(), ErrorCode::kCorrupt, "not there");
}

TEST_F(DifferenceBaseTest, RefusesABaseThatThePackageCannotName) {
  auto below = request();
  below.directory = lab.target() / "below";
  expect_refused(below, ErrorCode::kInvalidArgument, "could not name it");
  auto far = request();
  far.directory = lab.folder.path() / "a/b/c/d";
  ASSERT_TRUE(make_directories(far.directory.parent_path()));
  expect_refused(far, ErrorCode::kInvalidArgument, "could not name it");
}

TEST_F(DifferenceBaseTest, IsFoundFromWhereALinkLeads) {
  ASSERT_TRUE(make_directories(lab.folder.path() / "deep/folder"));
  std::filesystem::create_directory_symlink(lab.folder.path() / "deep/folder", lab.folder.path() / "link");
  auto linked = request();
  linked.directory = lab.folder.path() / "link/difference";
  const auto plan = lab.exporter.plan(linked);
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_EQ(plan->parent->path, "../../../package");
}

}  // namespace
}  // namespace cohort::service
