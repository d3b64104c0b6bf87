#include "service/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "package/verify.h"
#include "service/testing/package_lab.h"

namespace cohort::service {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() { prepare(lab); }

  // The machines on their own disks, no snapshot.
  static void prepare(PackageLab& lab) {
    ASSERT_TRUE(lab.delete_snapshot({"nightly"}));
    lab.control.clear();
  }

  void expect_untouched(PackageLab& world) const {
    EXPECT_EQ(world.hypervisor.describe(), before);
    EXPECT_THAT(world.kept.snapshots().value(), IsEmpty());
    EXPECT_THAT(world.left_open(), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(world.target().string() + ".partial"));
  }

  PackageLab lab;
  std::string before = described();

 private:
  static std::string described() {
    PackageLab world;
    prepare(world);
    return world.hypervisor.describe();
  }
};

TEST_F(BackupTest, LeavesAPackageAndNoSnapshot) {
  const auto report = lab.run_backup(lab.backup_request());
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->package, lab.target());
  EXPECT_TRUE(package::verify(lab.target(), {}, {})->is_whole());
  EXPECT_EQ(lab.newest_job().result, lab.target().string());
  EXPECT_EQ(lab.newest_job().type, JobType::kBackup);
  expect_untouched(lab);
}

TEST_F(BackupTest, NamesTheFilesOfAMachineThatVanished) {
  lab.control.before("add_undo_step delete_snapshot", [&] { lab.hypervisor.remove_machine("database"); });
  const auto report = lab.run_backup(lab.backup_request());
  ASSERT_TRUE(report) << report.error().describe();
  ASSERT_THAT(report->left_behind, SizeIs(1));
  EXPECT_TRUE(lab.hypervisor.has_file(report->left_behind[0]));
}

TEST_F(BackupTest, IsOneJob) {
  const auto before_it = lab.kept.jobs()->size();
  ASSERT_TRUE(lab.run_backup(lab.backup_request()));
  EXPECT_THAT(lab.kept.jobs().value(), SizeIs(before_it + 1));
}

TEST_F(BackupTest, ChecksTheTargetBeforeTheSnapshotIsTaken) {
  auto request = lab.backup_request();
  request.target.format = "vmdk";
  EXPECT_FALSE(lab.run_backup(request));
  request = lab.backup_request();
  request.target.directory = lab.folder.path() / "nowhere/package";
  EXPECT_FALSE(lab.run_backup(request));
  EXPECT_EQ(lab.control.count("create_overlay"), 0U);
  expect_untouched(lab);
}

TEST_F(BackupTest, PlanShowsBothPartsAndChangesNothing) {
  const auto plan = lab.backup.plan(lab.backup_request());
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_THAT(plan->snapshot.members, SizeIs(4));
  EXPECT_THAT(plan->target.disks, SizeIs(5));
  expect_untouched(lab);
}

TEST_F(BackupTest, LeavesNothingWhenCancelledWhileCopying) {
  std::stop_source cancel;
  lab.control.before("copy", [&] { cancel.request_stop(); });
  const auto report = lab.run_backup(lab.backup_request(), {cancel.get_token(), {}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(lab.target()));
  expect_untouched(lab);
}

TEST_F(BackupTest, KeepsThePackageAndSaysSoWhenOnlyTheDeletionFails) {
  lab.control.fail_always("merge_overlay web vda", ErrorCode::kHypervisor);
  const auto report = lab.run_backup(lab.backup_request());
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("is complete"));
  EXPECT_THAT(report.error().message, HasSubstr("Not taken back"));
  EXPECT_TRUE(package::verify(lab.target(), {}, {})->is_whole());
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  expect_untouched(lab);
  EXPECT_TRUE(std::filesystem::exists(lab.target()));
}

// Two machines, so that the loops below have fewer calls; the larger ones are those of the operations themselves.
BackupRequest of_a_pair(PackageLab& world) {
  world.add_collection("pair", {"database", "archive"});
  world.control.clear();
  auto request = world.backup_request();
  request.take.collection = "pair";
  return request;
}

TEST_F(BackupTest, LeavesNothingOnTheMachinesWhateverFails) {
  for (std::size_t number = 1;; ++number) {
    PackageLab world;
    prepare(world);
    const auto request = of_a_pair(world);
    world.control.fail_at(number, false);
    const auto report = world.run_backup(request);
    const auto calls = world.control.calls();
    if (number > calls.size()) {
      EXPECT_TRUE(report);
      break;
    }
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    world.control.clear();
    ASSERT_TRUE(world.run_recover());
    expect_untouched(world);
  }
}

TEST_F(BackupTest, LeavesNothingOnTheMachinesWhereverItsProcessDied) {
  for (std::size_t number = 1;; ++number) {
    PackageLab world;
    prepare(world);
    const auto request = of_a_pair(world);
    world.control.die_at(number);
    static_cast<void>(world.run_backup(request));
    if (!world.control.is_dead()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, world.control.calls()[number - 1]));
    world.control.clear();
    ASSERT_TRUE(world.run_recover());
    expect_untouched(world);
  }
}

// Incremental backups of the pair into "nights", in turn; "first" is there.
class IncrementalBackupTest : public ::testing::Test {
 protected:
  struct World : PackageLab {
    World() {
      EXPECT_TRUE(delete_snapshot({"nightly"}));
      add_collection("pair", {"database", "archive"});
      for (const auto* name : {"nights", "elsewhere"}) std::filesystem::create_directory(folder.path() / name);
      EXPECT_TRUE(night("nights/first"));
      control.clear();
    }
    [[nodiscard]] BackupRequest request(const std::string& package) const {
      BackupRequest request = backup_request();
      request.take.collection = "pair";
      request.target.directory = folder.path() / package;
      request.target.format = "qcow2";
      request.is_incremental = true;
      return request;
    }
    Result<ExportReport> night(const std::string& package) { return run_backup(request(package)); }
    [[nodiscard]] bool has(const std::string& package) const {
      return std::filesystem::exists(folder.path() / package);
    }
    [[nodiscard]] SnapshotId of(const std::string& package) const {
      return package::read_manifest(folder.path() / package)->snapshot;
    }
    [[nodiscard]] std::vector<SnapshotId> kept_snapshots() {
      std::vector<SnapshotId> ids;
      const auto all = kept.snapshots().value();
      for (const auto& snapshot : all) ids.push_back(snapshot.id);
      return ids;
    }
    void lose_archive() {
      hypervisor.remove_machine("archive");
      ASSERT_TRUE(collections.remove_members("pair", {"archive"}));
      control.clear();
    }
    // After whatever went wrong: what the first base has of the machine is kept, and all else goes on.
    void expect_to_go_on_without_archive() {
      control.clear();
      ASSERT_TRUE(run_recover());
      const auto report = night("nights/third");
      ASSERT_TRUE(report) << report.error().describe();
      EXPECT_EQ(report->full_because, "");
      EXPECT_THAT(report->shared, SizeIs(1));
      EXPECT_THAT(kept_snapshots(), UnorderedElementsAre(of("nights/first"), of("nights/third")));
      const Snapshot rest = kept.snapshot(of("nights/first")).value();
      EXPECT_EQ(rest.state, SnapshotState::kShared);
      ASSERT_THAT(rest.members, SizeIs(1));
      EXPECT_EQ(rest.members[0].name, "archive");
      EXPECT_TRUE(hypervisor.has_file(rest.members[0].disks[0].overlay));
      EXPECT_FALSE(std::filesystem::exists(kept.snapshot_folder(rest.id)));
      EXPECT_THAT(left_open(), IsEmpty());
    }
    // After whatever went wrong: nothing half done, a base for the next one, which leaves that alone.
    void expect_to_go_on() {
      control.clear();
      ASSERT_TRUE(run_recover());
      EXPECT_FALSE(has("nights/second.partial"));
      const auto all = kept.snapshots().value();
      for (const auto& snapshot : all) EXPECT_NE(snapshot.state, SnapshotState::kCreating);
      const auto report = night("nights/third");
      ASSERT_TRUE(report) << report.error().describe();
      EXPECT_EQ(report->full_because, "");
      EXPECT_THAT(kept_snapshots(), ElementsAre(of("nights/third")));
      EXPECT_THAT(left_open(), IsEmpty());
    }
  };

  World lab;
};

TEST_F(IncrementalBackupTest, KeepsItsSnapshotAsTheBaseOfTheNext) {
  ASSERT_THAT(lab.kept_snapshots(), ElementsAre(lab.of("nights/first")));
  EXPECT_EQ(lab.kept.snapshots()->front().kept_for, std::filesystem::canonical(lab.folder.path() / "nights"));
  const auto report = lab.night("nights/second");
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->full_because, "");
  // It was looked whether they can be differences; the disks of the fakes have no files, and cannot.
  for (const auto& disk : report->disks) EXPECT_THAT(disk.whole_because, HasSubstr("not known whether"));
  EXPECT_THAT(lab.kept_snapshots(), ElementsAre(lab.of("nights/second")));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(IncrementalBackupTest, SaysWhyItIsAFullOne) {
  ASSERT_TRUE(lab.delete_snapshot({lab.of("nights/first").str()}));
  const auto report = lab.night("nights/second");
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_THAT(report->full_because, HasSubstr("\"first\" cannot be the base: its snapshot does not exist any more."));
  for (const auto& disk : report->disks) EXPECT_EQ(disk.whole_because, "");
}

TEST_F(IncrementalBackupTest, PassesOverWhatCanBeNoBase) {
  ASSERT_TRUE(lab.delete_snapshot({lab.of("nights/first").str()}));
  const auto why_full = [&] {
    const auto plan = lab.backup.plan(lab.request("nights/third"));
    return plan ? plan->full_because : plan.error().describe();
  };
  ASSERT_TRUE(lab.take_snapshot(snapshot_of("pair", "mine")));
  ExportRequest exported = lab.request("nights/mine").target;
  exported.snapshot = "mine";
  ASSERT_TRUE(lab.run_export(exported));
  EXPECT_EQ(why_full(), "");
  const Path mine = lab.folder.path() / "nights/mine";
  const auto manifest = package::read_manifest(mine).value();
  const Path image = mine / manifest.machines[0].disks[0].file.file;

  std::filesystem::rename(image, image.string() + ".away");
  EXPECT_THAT(why_full(), HasSubstr("\"mine\" cannot be the base: "));
  std::filesystem::rename(image.string() + ".away", image);
  std::filesystem::rename(mine, lab.folder.path() / "nights/my\nname");
  EXPECT_THAT(why_full(), HasSubstr("\"first\" cannot be the base"));
  std::filesystem::rename(lab.folder.path() / "nights/my\nname", lab.folder.path() / "mine");
  std::filesystem::create_directory_symlink(lab.folder.path() / "mine", lab.folder.path() / "nights/mine");
  EXPECT_THAT(why_full(), HasSubstr("\"first\" cannot be the base"));
  std::filesystem::remove(lab.folder.path() / "nights/mine");
  std::filesystem::rename(lab.folder.path() / "mine", mine);
  EXPECT_EQ(why_full(), "");
}

TEST_F(IncrementalBackupTest, IsOfOneCollectionAmongOthersInTheFolder) {
  lab.add_collection("other", {"archive"});
  auto request = lab.request("nights/other");
  request.take.collection = "other";
  const auto report = lab.run_backup(request);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_THAT(report->full_because, HasSubstr("There is no earlier package of the collection"));
  EXPECT_THAT(lab.kept_snapshots(), SizeIs(2));
}

TEST_F(IncrementalBackupTest, FinishesAnOlderBaseBeforeItTakesTheNext) {
  lab.control.fail_always("merge_overlay archive vda", ErrorCode::kHypervisor);
  EXPECT_FALSE(lab.night("nights/second"));
  lab.control.clear();
  ASSERT_TRUE(lab.night("nights/third"));
  EXPECT_LT(*lab.control.first("remove_snapshot"), *lab.control.first("add_snapshot"));
  EXPECT_THAT(lab.kept_snapshots(), ElementsAre(lab.of("nights/third")));
}

TEST_F(IncrementalBackupTest, KeepsWhatABaseHasOfAMachineThatIsMissing) {
  lab.lose_archive();
  const auto report = lab.night("nights/second");
  ASSERT_TRUE(report) << report.error().describe();
  ASSERT_THAT(report->shared, SizeIs(1));
  EXPECT_THAT(report->shared[0].why, HasSubstr("\"archive\""));
  EXPECT_THAT(report->left_behind, IsEmpty());
  // It is the base of nothing, and in nobody's way.
  const auto third = lab.night("nights/third");
  ASSERT_TRUE(third) << third.error().describe();
  EXPECT_EQ(third->full_because, "");
  EXPECT_THAT(third->shared, SizeIs(1));
  EXPECT_THAT(lab.kept_snapshots(), UnorderedElementsAre(lab.of("nights/first"), lab.of("nights/third")));
  EXPECT_EQ(lab.kept.snapshot(lab.of("nights/first"))->state, SnapshotState::kShared);
}

TEST_F(IncrementalBackupTest, TellsWhatStaysWhenItIsCancelledAtLast) {
  std::stop_source cancel;
  lab.control.before("merge_overlay", [&] { cancel.request_stop(); });
  const auto report = lab.run_backup(lab.request("nights/second"), {cancel.get_token(), {}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(report.error().message, HasSubstr("is complete"));
  EXPECT_THAT(report.error().message, ::testing::Not(HasSubstr("taken back")));
  lab.expect_to_go_on();
}

TEST_F(IncrementalBackupTest, HasABaseOfItsOwnInEachFolder) {
  ASSERT_TRUE(lab.night("elsewhere/first"));
  ASSERT_TRUE(lab.night("nights/second"));
  EXPECT_THAT(lab.kept_snapshots(), UnorderedElementsAre(lab.of("elsewhere/first"), lab.of("nights/second")));
}

TEST_F(IncrementalBackupTest, LeavesTheSnapshotsOfItsUserAlone) {
  ASSERT_TRUE(lab.take_snapshot(snapshot_of("pair", "mine")));
  ASSERT_TRUE(lab.night("nights/second"));
  ASSERT_THAT(lab.kept_snapshots(), SizeIs(2));
  EXPECT_TRUE(lab.delete_snapshot({"mine"}));
}

TEST_F(IncrementalBackupTest, StandsOnASnapshotOfItsUser) {
  auto request = lab.request("nights/second");
  ASSERT_TRUE(lab.take_snapshot(snapshot_of("pair", "mine")));
  ExportRequest exported = request.target;
  exported.snapshot = "mine";
  ASSERT_TRUE(lab.run_export(exported));
  const auto plan = lab.backup.plan(lab.request("nights/third"));
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_EQ(plan->full_because, "");
  ASSERT_THAT(plan->outlived, SizeIs(1));
  EXPECT_EQ(plan->outlived[0].id, lab.of("nights/first"));
}

TEST_F(IncrementalBackupTest, RefusesWhatCanBeNoDifference) {
  for (const auto& change :
       std::vector<std::function<void(ExportRequest&)>>{[](ExportRequest& target) { target.format = "raw"; },
                                                        [](ExportRequest& target) { target.is_hashed = false; },
                                                        [](ExportRequest& target) { target.no_storage = true; },
                                                        [](ExportRequest& target) { target.subdirectory = true; }}) {
    auto request = lab.request("nights/second");
    change(request.target);
    const auto report = lab.run_backup(request);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(lab.night("nowhere/second").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(lab.kept_snapshots(), ElementsAre(lab.of("nights/first")));
}

TEST_F(IncrementalBackupTest, KeepsThePackageAndBothBasesWhenOnlyTheDeletionFails) {
  lab.control.fail_always("merge_overlay database vda", ErrorCode::kHypervisor);
  const auto report = lab.night("nights/second");
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("is complete"));
  EXPECT_TRUE(lab.has("nights/second"));
  EXPECT_THAT(lab.kept_snapshots(), Contains(lab.of("nights/second")));
  lab.expect_to_go_on();
}

TEST_F(IncrementalBackupTest, GoesOnWhateverFails) {
  for (std::size_t number = 1;; ++number) {
    World world;
    world.control.fail_at(number, false);
    const auto report = world.night("nights/second");
    const auto calls = world.control.calls();
    if (number > calls.size()) {
      EXPECT_TRUE(report);
      break;
    }
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    world.expect_to_go_on();
  }
}

TEST_F(IncrementalBackupTest, GoesOnWhereverItsProcessDied) {
  for (std::size_t number = 1;; ++number) {
    World world;
    world.control.die_at(number);
    static_cast<void>(world.night("nights/second"));
    if (!world.control.is_dead()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, world.control.calls()[number - 1]));
    world.expect_to_go_on();
  }
}

TEST_F(IncrementalBackupTest, GoesOnWithoutAMachineWhateverFails) {
  for (std::size_t number = 1;; ++number) {
    World world;
    world.lose_archive();
    world.control.fail_at(number, false);
    static_cast<void>(world.night("nights/second"));
    const auto calls = world.control.calls();
    if (number > calls.size()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, calls[number - 1]));
    world.expect_to_go_on_without_archive();
  }
}

TEST_F(IncrementalBackupTest, GoesOnWithoutAMachineWhereverItsProcessDied) {
  for (std::size_t number = 1;; ++number) {
    World world;
    world.lose_archive();
    world.control.die_at(number);
    static_cast<void>(world.night("nights/second"));
    if (!world.control.is_dead()) break;
    SCOPED_TRACE(fmt::format("call {}: {}", number, world.control.calls()[number - 1]));
    world.expect_to_go_on_without_archive();
  }
}

}  // namespace
}  // namespace cohort::service
