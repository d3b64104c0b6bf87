#include "service/export_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "package/layout.h"
#include "package/verify.h"
#include "service/frozen_stamps.h"
#include "service/testing/package_lab.h"
#include "service/testing/refused_export.h"

namespace cohort::service {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ExportSnapshotTest : public ::testing::Test {
 protected:
  void expect_refused(const ExportRequest& request, ErrorCode code, const std::string& words) {
    expect_refused_export(lab, request, code, words);
  }

  [[nodiscard]] Snapshot nightly() { return lab.kept.snapshots()->front(); }

  PackageLab lab;
};

TEST_F(ExportSnapshotTest, WritesAPackageThatVerifies) {
  const auto exported = lab.run_export(lab.export_request());
  ASSERT_TRUE(exported) << exported.error().describe();
  EXPECT_EQ(exported->package, lab.target());
  EXPECT_FALSE(std::filesystem::exists(lab.target().string() + ".partial"));
  const auto verified = package::verify(lab.target(), {}, {});
  ASSERT_TRUE(verified) << verified.error().describe();
  EXPECT_TRUE(verified->is_whole()) << verified->problems[0].message;
  EXPECT_EQ(exported->files, verified->files);
  EXPECT_EQ(exported->bytes, verified->bytes);
  EXPECT_EQ(lab.newest_job().result, lab.target().string());
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(ExportSnapshotTest, DescribesTheSnapshotInTheManifest) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  const auto manifest = package::read_manifest(lab.target());
  ASSERT_TRUE(manifest) << manifest.error().describe();
  const Snapshot snapshot = nightly();
  EXPECT_EQ(manifest->snapshot, snapshot.id);
  EXPECT_EQ(manifest->snapshot_name, "nightly");
  EXPECT_EQ(manifest->collection, snapshot.collection);
  EXPECT_EQ(manifest->collection_name, "shop");
  EXPECT_EQ(manifest->instant, snapshot.instant);
  EXPECT_EQ(manifest->fence.overlap_begin, snapshot.fence.overlap_begin);
  EXPECT_TRUE(manifest->has_storage);
  ASSERT_EQ(manifest->machines.size(), snapshot.members.size());
  for (std::size_t i = 0; i < snapshot.members.size(); ++i) {
    const auto& entry = manifest->machines[i];
    const auto& member = snapshot.members[i];
    EXPECT_EQ(entry.id, member.machine);
    EXPECT_EQ(entry.name, member.name);
    EXPECT_EQ(entry.power, member.power);
    EXPECT_EQ(entry.consistency, to_string(member.consistency.level));
    EXPECT_EQ(entry.pause.has_value(), member.pause.has_value());
    EXPECT_EQ(read_file(lab.target() / entry.configuration.file, 1000).value(), member.configuration);
    EXPECT_EQ(entry.disks.size(), member.disks.size());
  }
}

TEST_F(ExportSnapshotTest, CopiesTheFrozenFilesAndNotWhatTheMachinesWriteNow) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  ASSERT_EQ(lab.copier.requests().size(), 5U);
  EXPECT_EQ(lab.copier.requests()[0].source.path, "/nonexistent/disks/web-vda.qcow2");
  EXPECT_EQ(lab.copier.requests()[0].target,
            lab.target().string() + ".partial/" + package::disk_file("web", "vda", "raw"));
}

TEST_F(ExportSnapshotTest, TakesNvramAndTpmStateAlong) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  const auto manifest = package::read_manifest(lab.target());
  const auto& web = manifest->machines[0];
  ASSERT_TRUE(web.nvram);
  EXPECT_EQ(read_file(lab.target() / web.nvram->file, 100).value(), "variables");
  ASSERT_THAT(web.tpm_state, SizeIs(1));
  EXPECT_EQ(web.tpm_state[0].file, package::tpm_file(web.id, "tpm2/permall"));
  EXPECT_EQ(read_file(lab.target() / web.tpm_state[0].file, 100).value(), "seed");
  EXPECT_FALSE(manifest->machines[1].nvram);
}

TEST_F(ExportSnapshotTest, HandsTheFormatAndTheRateLimitOn) {
  auto request = lab.export_request();
  request.format = "qcow2";
  request.rate_limit = 12'345;
  request.is_compressed = true;
  ASSERT_TRUE(lab.run_export(request));
  EXPECT_THAT(lab.copier.measured_formats(), Each("qcow2"));
  EXPECT_EQ(lab.copier.rate_limit(), 12'345U);
  for (const auto& copy : lab.copier.requests()) {
    EXPECT_EQ(copy.format, "qcow2");
    EXPECT_TRUE(copy.is_compressed);
  }
}

TEST_F(ExportSnapshotTest, CompressesNoRawDisks) {
  auto request = lab.export_request();
  request.format = "raw";
  request.is_compressed = true;
  expect_refused(request, ErrorCode::kInvalidArgument, "choose qcow2");
}

TEST_F(ExportSnapshotTest, WritesTheContentHashOfEachDisk) {
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  const auto manifest = package::read_manifest(lab.target());
  ASSERT_TRUE(manifest);
  for (const auto& copy : lab.copier.requests()) {
    const std::string hash = Sha256::of(copy.source.path.string());
    EXPECT_TRUE(std::ranges::any_of(manifest->machines, [&](const package::MachineEntry& machine) {
      return std::ranges::any_of(machine.disks, [&](const auto& disk) { return disk.content_hash == hash; });
    }));
  }
}

TEST_F(ExportSnapshotTest, LeavesDisksWithoutHashesToASeal) {
  ExportRequest request = lab.export_request();
  request.is_hashed = false;
  const auto exported = lab.run_export(request);
  ASSERT_TRUE(exported) << exported.error().describe();
  EXPECT_FALSE(exported->is_sealed);
  const auto manifest = package::read_manifest(lab.target());
  ASSERT_TRUE(manifest) << manifest.error().describe();
  EXPECT_EQ(manifest->format_version, package::kAllDisksFormatVersion);
  for (const auto& machine : manifest->machines) {
    for (const auto& disk : machine.disks) {
      EXPECT_FALSE(disk.is_sealed());
      EXPECT_EQ(disk.content_hash, "");
      EXPECT_FALSE(disk.block_hashes);
    }
  }
  for (const auto& copied : lab.copier.requests()) EXPECT_EQ(copied.block_hashes, "");
}

TEST_F(ExportSnapshotTest, NeedsNoRoomForWhatIsShared) {
  lab.copier.estimate(1ULL << 60U);
  ExportRequest request = lab.export_request();
  request.is_hashed = false;
  expect_refused(request, ErrorCode::kNoSpace, "nothing was written");
  lab.copier.can_share(true);
  const auto plan = lab.exporter.plan(request);
  ASSERT_TRUE(plan) << plan.error().describe();
  for (const auto& disk : plan->disks) EXPECT_TRUE(disk.is_shared);
  request.is_hashed = true;
  expect_refused(request, ErrorCode::kNoSpace, "nothing was written");
}

TEST_F(ExportSnapshotTest, HashesWhatIsCompressedOrADifference) {
  ExportRequest request = lab.export_request();
  request.is_hashed = false;
  request.format = "qcow2";
  request.is_compressed = true;
  expect_refused(request, ErrorCode::kInvalidArgument, "compressed");
  request.is_compressed = false;
  request.since = lab.target();
  expect_refused(request, ErrorCode::kInvalidArgument, "differences");
}

TEST_F(ExportSnapshotTest, WritesConfigurationsOnlyWithoutStorage) {
  auto request = lab.export_request();
  request.no_storage = true;
  ASSERT_TRUE(lab.run_export(request));
  EXPECT_EQ(lab.control.count("copy"), 0U);
  EXPECT_EQ(lab.control.count("measure"), 0U);
  const auto manifest = package::read_manifest(lab.target());
  EXPECT_FALSE(manifest->has_storage);
  EXPECT_THAT(manifest->machines[0].disks, IsEmpty());
  EXPECT_TRUE(package::verify(lab.target(), {}, {})->is_whole());
}

TEST_F(ExportSnapshotTest, WritesIntoASubfolderNamedAfterTheCollection) {
  ASSERT_TRUE(make_directories(lab.target()));
  ASSERT_TRUE(create_file(lab.target() / "other", "x"));
  auto request = lab.export_request();
  request.subdirectory = true;
  const auto exported = lab.run_export(request);
  ASSERT_TRUE(exported) << exported.error().describe();
  EXPECT_EQ(exported->package, lab.target() / "shop");
  EXPECT_THAT(PackageLab::names_in(lab.target()), ElementsAre("other", "shop"));
}

TEST_F(ExportSnapshotTest, CountsItsProgressInBytesOfTheEstimate) {
  lab.copier.estimate(1000);
  ASSERT_TRUE(lab.run_export(lab.export_request()));
  EXPECT_EQ(lab.newest_job().progress.total_bytes, 5000U);
  EXPECT_EQ(lab.newest_job().progress.done_bytes, 5000U);
}

TEST_F(ExportSnapshotTest, TakesAnEmptyFolderAndASlashAtTheEnd) {
  ASSERT_TRUE(make_directories(lab.target()));
  auto request = lab.export_request();
  request.directory = lab.target().string() + "/";
  const auto exported = lab.run_export(request);
  ASSERT_TRUE(exported) << exported.error().describe();
  EXPECT_EQ(exported->package, lab.target());
}

// --- the target ---

TEST_F(ExportSnapshotTest, RefusesAFolderBelowNothing) {
  auto request = lab.export_request();
  request.directory = lab.folder.path() / "nowhere/package";
  expect_refused(request, ErrorCode::kNotFound, "nowhere");
  request.directory = "";
  expect_refused(request, ErrorCode::kInvalidArgument, "no name");
}

TEST_F(ExportSnapshotTest, RefusesAMissingFolderForTheSubfolder) {
  auto request = lab.export_request();
  request.subdirectory = true;
  expect_refused(request, ErrorCode::kNotFound, lab.target().string());
}

TEST_F(ExportSnapshotTest, RefusesAFileAsParentOrTarget) {
  ASSERT_TRUE(create_file(lab.target(), "x"));
  expect_refused(lab.export_request(), ErrorCode::kAlreadyExists, "is not a folder");
  auto request = lab.export_request();
  request.directory = lab.target() / "inner";
  expect_refused(request, ErrorCode::kInvalidArgument, "is not a folder");
}

TEST_F(ExportSnapshotTest, NeverOverwritesAPackageOrAFolderWithSomethingInIt) {
  ASSERT_TRUE(make_directories(lab.target()));
  ASSERT_TRUE(create_file(lab.target() / "precious", "x"));
  expect_refused(lab.export_request(), ErrorCode::kAlreadyExists, "is not empty");
  ASSERT_TRUE(create_file(lab.target() / package::kManifestName, "{}"));
  expect_refused(lab.export_request(), ErrorCode::kAlreadyExists, "holds a package already");
}

TEST_F(ExportSnapshotTest, LeavesWhatIsInThePlaceOfThePartialPackage) {
  const Path partial = lab.target().string() + ".partial";
  ASSERT_TRUE(make_directories(partial));
  expect_refused(lab.export_request(), ErrorCode::kAlreadyExists, ".partial");
  ASSERT_TRUE(create_file(partial / "theirs", "x"));
  expect_refused(lab.export_request(), ErrorCode::kAlreadyExists, ".partial");
  EXPECT_TRUE(std::filesystem::exists(partial / "theirs"));
}

TEST_F(ExportSnapshotTest, RefusesTheFolderOfItsOwnDisks) {
  Snapshot snapshot = nightly();
  snapshot.members[1].disks[0].frozen.path = lab.target() / "database.qcow2";
  ASSERT_TRUE(lab.kept.update_snapshot(snapshot));
  expect_refused(lab.export_request(), ErrorCode::kAlreadyExists, "disk vda of \"database\"");
}

TEST_F(ExportSnapshotTest, RefusesTooLittleSpaceBeforeTheFirstByte) {
  lab.copier.estimate(1ULL << 60U);
  expect_refused(lab.export_request(), ErrorCode::kNoSpace, "nothing was written");
}

TEST_F(ExportSnapshotTest, RefusesUnknownFormatsAlsoInItsPlan) {
  auto request = lab.export_request();
  request.format = "vmdk";
  expect_refused(request, ErrorCode::kInvalidArgument, "vmdk");
  EXPECT_FALSE(lab.exporter.plan(request));
}

TEST_F(ExportSnapshotTest, RefusesASnapshotThatIsNotReadyAlsoInItsPlan) {
  Snapshot snapshot = nightly();
  snapshot.state = SnapshotState::kDeleting;
  ASSERT_TRUE(lab.kept.update_snapshot(snapshot));
  expect_refused(lab.export_request(), ErrorCode::kInvalidState, "is deleting");
  EXPECT_FALSE(lab.exporter.plan(lab.export_request()));
}

TEST_F(ExportSnapshotTest, PlanNamesEveryDiskAndChangesNothing) {
  lab.copier.estimate(1000);
  const auto before = PackageLab::names_in(lab.folder.path());
  const auto plan = lab.exporter.plan(lab.export_request());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->package, lab.target());
  ASSERT_THAT(plan->disks, SizeIs(5));
  EXPECT_EQ(plan->disks[1].target, "vdb");
  EXPECT_EQ(plan->disks[1].file, package::disk_file("web", "vdb", "raw"));
  EXPECT_GE(plan->estimated_bytes, 5000U);
  EXPECT_EQ(PackageLab::names_in(lab.folder.path()), before);
}

// --- failures: nothing is left ---

TEST_F(ExportSnapshotTest, CanBeCancelledWhileItIsPlanned) {
  std::stop_source cancel;
  lab.control.before("measure /nonexistent/disks/database", [&] { cancel.request_stop(); });
  const auto exported = lab.run_export(lab.export_request(), {cancel.get_token(), {}});
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(lab.control.count("copy "), 0U);
}

TEST_F(ExportSnapshotTest, LeavesNothingWhenCancelled) {
  std::stop_source cancel;
  lab.control.before("copy /nonexistent/disks/database", [&] { cancel.request_stop(); });
  const auto exported = lab.run_export(lab.export_request(), {cancel.get_token(), {}});
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(lab.newest_job().state, JobState::kCancelled);
  EXPECT_THAT(PackageLab::names_in(lab.folder.path()), ElementsAre("imported", "state"));
}

TEST_F(ExportSnapshotTest, RefusesAFrozenFileThatWasCutOff) {
  lab.copier.virtual_size(FakeDiskCopier::kVirtualSize / 2);
  const auto exported = lab.run_export(lab.export_request());
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(exported.error().message, HasSubstr("somebody has changed that file"));
  EXPECT_THAT(PackageLab::names_in(lab.folder.path()), ElementsAre("imported", "state"));
}

// Web's first frozen file is a real one here.
class ExportOfWrittenFile : public ExportSnapshotTest {
 protected:
  ExportOfWrittenFile() {
    EXPECT_TRUE(create_file(frozen, "at the instant"));
    Snapshot snapshot = nightly();
    snapshot.members[0].disks[0].frozen.path = frozen;
    stamp_frozen_files(snapshot);
    EXPECT_TRUE(lab.kept.update_snapshot(snapshot));
    lab.control.clear();
  }
  void write_to_it() const { std::ofstream(frozen, std::ios::app) << "later"; }

  Path frozen = lab.folder.path() / "frozen.qcow2";
};

TEST_F(ExportOfWrittenFile, IsRefusedBeforeTheFirstByte) {
  ASSERT_TRUE(lab.exporter.plan(lab.export_request()));
  write_to_it();
  expect_refused(lab.export_request(), ErrorCode::kCorrupt, "written to after the instant");
  EXPECT_THAT(lab.exporter.plan(lab.export_request()).error().message, HasSubstr("\"web\""));
}

TEST_F(ExportOfWrittenFile, LeavesNothingWhenItIsWrittenWhileItIsCopied) {
  lab.control.before("copy " + frozen.string(), [&] { write_to_it(); });
  const auto exported = lab.run_export(lab.export_request());
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(exported.error().message, HasSubstr(frozen.string()));
  EXPECT_FALSE(std::filesystem::exists(lab.target()));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(ExportSnapshotTest, LeavesNothingWhenAStateFileIsGone) {
  const Snapshot snapshot = nightly();
  ASSERT_TRUE(remove_tree(lab.store.snapshot_folder(snapshot.id)));
  EXPECT_FALSE(lab.run_export(lab.export_request()));
  EXPECT_THAT(PackageLab::names_in(lab.folder.path()), ElementsAre("imported", "state"));
}

// Whatever call fails: a package that is there is whole, and nothing else is.
TEST_F(ExportSnapshotTest, LeavesAWholePackageOrNothingWhateverFails) {
  for (std::size_t number = 1;; ++number) {
    PackageLab world;
    world.control.fail_at(number, number % 2 == 0);
    const auto exported = world.run_export(world.export_request());
    const auto calls = world.control.calls();
    if (number > calls.size()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    world.control.clear();
    ASSERT_TRUE(world.run_recover());
    EXPECT_FALSE(std::filesystem::exists(world.target().string() + ".partial"));
    const bool is_there = std::filesystem::exists(world.target());
    EXPECT_TRUE(is_there || !exported);
    EXPECT_EQ(is_there, package::verify(world.target(), {}, {}).map(&package::VerifyReport::is_whole).value_or(false));
    EXPECT_THAT(world.left_open(), IsEmpty());
  }
}

TEST_F(ExportSnapshotTest, LeavesAWholePackageOrNothingWhereverItsProcessDied) {
  for (std::size_t number = 1;; ++number) {
    PackageLab world;
    world.control.die_at(number);
    static_cast<void>(world.run_export(world.export_request()));
    if (!world.control.is_dead()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, world.control.calls()[number - 1]));
    world.control.clear();
    ASSERT_TRUE(world.run_recover());
    EXPECT_FALSE(std::filesystem::exists(world.target().string() + ".partial"));
    if (std::filesystem::exists(world.target())) {
      EXPECT_TRUE(package::verify(world.target(), {}, {})->is_whole());
    }
    EXPECT_THAT(world.left_open(), IsEmpty());
  }
}

}  // namespace
}  // namespace cohort::service
