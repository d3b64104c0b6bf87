#include "service/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() {
    lab.add_shop();
    lab.hypervisor.set_power("cache", PowerState::kRunning);
  }

  std::vector<Ailment> ailments() {
    auto report = doctor.examine({{packages}, {}});
    EXPECT_TRUE(report) << report.error().describe();
    return report ? report->ailments : std::vector<Ailment>{};
  }

  Result<DoctorReport> mend(const std::vector<std::string>& ids) {
    return lab.engine.run<DoctorReport>(JobType::kMend, "test", {}, [&](JobContext& job) {
      return doctor.mend({{packages}, ids}, job);
    });
  }

  void forget_snapshots() {
    const auto all = lab.kept.snapshots().value();
    for (const Snapshot& snapshot : all) ASSERT_TRUE(lab.kept.remove_snapshot(snapshot.id));
  }

  void add_machine_with(const Path& disk) {
    FakeMachine machine;
    machine.summary.name = "lone";
    machine.disks["vda"] = disk;
    lab.hypervisor.add_machine(std::move(machine));
  }

  static void write_file(const Path& path) { std::ofstream(path) << "x"; }

  Lab lab;
  Path packages = lab.folder.path();
  Doctor doctor{lab.hypervisor, lab.store};
};

auto is_ailment(AilmentKind kind, const std::string& message) {
  return AllOf(Field(&Ailment::kind, kind), Field(&Ailment::id, StartsWith(to_string(kind))),
               Field(&Ailment::message, HasSubstr(message)));
}

TEST_F(DoctorTest, FindsNothingInAWorldWithSnapshots) {
  EXPECT_THAT(ailments(), IsEmpty());
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  ASSERT_TRUE(lab.take_of_shop("hourly"));
  const auto before = lab.hypervisor.describe();
  EXPECT_THAT(ailments(), IsEmpty());
  EXPECT_EQ(lab.hypervisor.describe(), before);
}

TEST_F(DoctorTest, FindsTheJobOfAProcessThatHasDied) {
  lab.control.die_at(20);
  static_cast<void>(lab.take_of_shop("nightly"));
  ASSERT_TRUE(lab.control.is_dead());
  lab.control.clear();
  auto job = lab.newest_job();
  EXPECT_THAT(ailments(), Not(Contains(Field(&Ailment::kind, AilmentKind::kUnfinishedJob))))
      << "this process lives, and may be at it";
  job.pid = 0x3fffffff;
  ASSERT_TRUE(lab.kept.update_job(job));
  const auto found = ailments();
  ASSERT_FALSE(found.empty());
  EXPECT_THAT(found[0], is_ailment(AilmentKind::kUnfinishedJob, "take_snapshot of \"shop\""));
  const auto mended = mend({found[0].id});
  ASSERT_FALSE(mended);
  EXPECT_EQ(mended.error().code, ErrorCode::kUnsupported);
}

TEST_F(DoctorTest, FindsSnapshotsWhoseMachinesOrDisksHaveChanged) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  lab.hypervisor.remove_machine("archive");
  lab.hypervisor.change("database",
                        [](FakeMachine& machine) { machine.disks["vda"] = "/nonexistent/disks/database-vda.qcow2"; });
  EXPECT_THAT(ailments(),
              UnorderedElementsAre(is_ailment(AilmentKind::kBrokenSnapshot, "\"archive\" of the snapshot \"nightly\""),
                                   is_ailment(AilmentKind::kBrokenSnapshot, "disk vda of \"database\"")));
}

TEST_F(DoctorTest, FindsWhatKeepsASnapshotFromBeingDeletedToTheEnd) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  lab.control.fail_next("merge_overlay database", ErrorCode::kIo);
  ASSERT_FALSE(lab.delete_snapshot({"nightly"}));
  EXPECT_THAT(ailments(), IsEmpty()) << "it can go on";
  lab.hypervisor.change("database",
                        [](FakeMachine& machine) { machine.disks["vda"] = "/nonexistent/disks/web-vda.qcow2"; });
  const auto found = ailments();
  EXPECT_THAT(found, ElementsAre(is_ailment(AilmentKind::kBrokenSnapshot, "disk vda of \"database\"")));
  EXPECT_THAT(found[0].remedy, HasSubstr("--forget-only"));
}

TEST_F(DoctorTest, FindsADiskOfWhichLibvirtHasForgottenTheOverlay) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.mistaken_for["vda"] = "/disks/frozen.qcow2"; });
  const auto found = ailments();
  ASSERT_THAT(found, ElementsAre(is_ailment(AilmentKind::kMistakenDisk, "libvirt takes \"/disks/frozen.qcow2\"")));
  EXPECT_EQ(found[0].id, "mistaken_disk:database/vda");
  EXPECT_THAT(found[0].message, HasSubstr(lab.hypervisor.active_file("database", "vda").string()));
  EXPECT_THAT(found[0].remedy, AllOf(HasSubstr("delete the snapshot \"nightly\""), HasSubstr("shut it down")));
  const auto mended = mend({found[0].id});
  ASSERT_TRUE(mended) << mended.error().describe();
  EXPECT_EQ(lab.control.count("define_as_it_runs database vda"), 1U);
  EXPECT_THAT(mended->mended, ElementsAre(HasSubstr("definition of \"database\"")));
  EXPECT_THAT(mended->ailments, ElementsAre(Field(&Ailment::kind, AilmentKind::kMistakenDisk))) << "until it is off";
}

TEST_F(DoctorTest, DoesNotCallASnapshotBrokenOfWhoseDiskLibvirtIsWrong) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  lab.control.fail_next("merge_overlay database", ErrorCode::kIo);
  ASSERT_FALSE(lab.delete_snapshot({"nightly"}));
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.mistaken_for["vda"] = "/disks/frozen.qcow2"; });
  lab.control.fail_always("check_mergeable database", ErrorCode::kInvalidState);
  EXPECT_THAT(ailments(), ElementsAre(is_ailment(AilmentKind::kMistakenDisk, "disk vda of \"database\"")));
}

TEST_F(DoctorTest, NamesAForgottenOverlayThatNoSnapshotKnowsOnce) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  forget_snapshots();
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.mistaken_for["vda"] = "/disks/frozen.qcow2"; });
  EXPECT_THAT(ailments(), Not(Contains(Field(&Ailment::kind, AilmentKind::kMistakenDisk))));
}

TEST_F(DoctorTest, FindsADiskThatLibvirtTakesToBeOnAnOverlayThatWasMerged) {
  lab.hypervisor.change("database", [](FakeMachine& machine) { machine.mistaken_for["vda"] = "/disks/overlay.qcow2"; });
  const auto found = ailments();
  ASSERT_THAT(found, ElementsAre(is_ailment(AilmentKind::kMistakenDisk, "\"/disks/overlay.qcow2\"")));
  EXPECT_THAT(found[0].remedy, Not(HasSubstr("snapshot")));
}

TEST_F(DoctorTest, DoesNotJudgeAMachineThatCannotBeLookedAt) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  lab.control.fail_always("inspect web", ErrorCode::kCorrupt);
  EXPECT_THAT(ailments(), ElementsAre(is_ailment(AilmentKind::kUnreadableMachine, "\"web\" cannot be looked at")));
}

TEST_F(DoctorTest, MergesOverlaysThatNoSnapshotKnows) {
  const auto before = lab.hypervisor.describe();
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  forget_snapshots();
  const auto found = ailments();
  ASSERT_EQ(found.size(), 5U);
  std::vector<std::string> ids;
  for (const Ailment& each : found) {
    EXPECT_EQ(each.kind, AilmentKind::kUnrecordedOverlay);
    ids.push_back(each.id);
  }
  const auto mended = mend(ids);
  ASSERT_TRUE(mended) << mended.error().describe();
  EXPECT_THAT(mended->ailments, IsEmpty());
  EXPECT_EQ(mended->mended.size(), 5U);
  EXPECT_EQ(lab.hypervisor.describe(), before);
}

TEST_F(DoctorTest, RemovesOverlayFilesThatNothingUses) {
  const Path disk = lab.folder.path() / "lone.qcow2";
  const Path stray = overlay_path(disk, SnapshotId::generate());
  write_file(stray);
  write_file(lab.folder.path() / "mine.qcow2");
  add_machine_with(disk);
  const auto found = ailments();
  ASSERT_THAT(found, ElementsAre(is_ailment(AilmentKind::kStrayOverlay, stray.string())));
  ASSERT_TRUE(mend({found[0].id}));
  EXPECT_FALSE(std::filesystem::exists(stray));
  EXPECT_TRUE(std::filesystem::exists(lab.folder.path() / "mine.qcow2"));
}

TEST_F(DoctorTest, RemovesMemoryThatNoSnapshotHas) {
  const Path disk = lab.folder.path() / "lone.qcow2";
  const Path stray = overlay_path(disk, SnapshotId::generate()).replace_extension(".mem");
  const Path kept = overlay_path(disk, SnapshotId::generate()).replace_extension(".mem");
  for (const Path& file : {stray, kept, Path(lab.folder.path() / "mine.mem")}) write_file(file);
  add_machine_with(disk);
  Snapshot snapshot = lab.take_of_shop("nightly").value();
  snapshot.members[0].memory = MemorySnapshot{kept, 1};
  ASSERT_TRUE(lab.kept.update_snapshot(snapshot));
  const auto found = ailments();
  ASSERT_THAT(found, ElementsAre(is_ailment(AilmentKind::kStrayMemory, stray.string())));
  ASSERT_TRUE(mend({found[0].id}));
  EXPECT_EQ(lab.control.count("remove_memory " + stray.filename().string()), 1U);
}

TEST_F(DoctorTest, LooksForNoStrayOverlaysWhileAMachineCannotBeLookedAt) {
  const Path disk = lab.folder.path() / "lone.qcow2";
  write_file(overlay_path(disk, SnapshotId::generate()));
  add_machine_with(disk);
  lab.control.fail_always("inspect cache", ErrorCode::kHypervisor);
  EXPECT_THAT(ailments(), ElementsAre(is_ailment(AilmentKind::kUnreadableMachine, "cache")));
}

TEST_F(DoctorTest, LetsPausedMembersRunAndLeavesOthersAlone) {
  lab.add_machine("stranger", PowerState::kPaused);
  lab.hypervisor.set_power("cache", PowerState::kPaused);
  const auto found = ailments();
  ASSERT_THAT(found, ElementsAre(is_ailment(AilmentKind::kPausedMachine, "\"cache\"")));
  const auto mended = mend({found[0].id});
  ASSERT_TRUE(mended);
  EXPECT_THAT(mended->mended, ElementsAre("The machine \"cache\" runs."));
  EXPECT_EQ(lab.hypervisor.power("cache"), PowerState::kRunning);
  EXPECT_EQ(lab.hypervisor.power("stranger"), PowerState::kPaused);
}

TEST_F(DoctorTest, RemovesPackagesThatWereNeverFinished) {
  const Path partial = packages / "monday.partial";
  std::filesystem::create_directories(partial / "Virtual Hard Disks");
  std::filesystem::create_directories(packages / "sunday");
  std::filesystem::create_directory_symlink(packages / "sunday", packages / "linked.partial");
  const auto found = ailments();
  ASSERT_THAT(found, ElementsAre(is_ailment(AilmentKind::kPartialPackage, partial.string())));
  ASSERT_TRUE(mend({found[0].id}));
  EXPECT_FALSE(std::filesystem::exists(partial));
  EXPECT_TRUE(std::filesystem::exists(packages / "sunday"));
}

TEST_F(DoctorTest, MendsNothingIfOneOfTheIdsIsNotAmiss) {
  lab.hypervisor.set_power("cache", PowerState::kPaused);
  const auto mended = mend({"paused_machine:cache", "paused_machine:web"});
  ASSERT_FALSE(mended);
  EXPECT_EQ(mended.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(mended.error().message, HasSubstr("\"paused_machine:web\""));
  EXPECT_EQ(lab.hypervisor.power("cache"), PowerState::kPaused);
}

TEST_F(DoctorTest, NamesTheFolderThatCannotBeListed) {
  const auto report = doctor.examine({{"/nonexistent/packages"}, {}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(report.error().message, HasSubstr("\"/nonexistent/packages\""));
}

}  // namespace
}  // namespace cohort::service
