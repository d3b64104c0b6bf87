#include "service/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/verify.h"
#include "service/testing/package_lab.h"

namespace cohort::service {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace cohort::service
