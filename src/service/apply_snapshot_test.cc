#include "service/apply_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "service/testing/lab.h"
#include "service/testing/lives.h"

namespace cohort::service {
namespace {

using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// "before" was taken, and the machines have gone on since.
void prepare(Lab& lab) {
  lab.add_shop();
  live_on(lab, "early");
  ASSERT_TRUE(lab.take_snapshot(standard("before")));
  live_on(lab, "late");
}

class ApplySnapshotTest : public ::testing::Test {
 protected:
  ApplySnapshotTest() {
    lab.add_shop();
    live_on(lab, "early");
    early = lives(lab);
    EXPECT_TRUE(lab.take_snapshot(standard("before")));
    live_on(lab, "late");
    late = lives(lab);
    lab.control.clear();
  }

  void expect_refused(const ApplyRequest& request, ErrorCode code, const std::string& words) {
    const std::string world = lab.hypervisor.describe();
    const auto applied = lab.apply_snapshot(request);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, code) << applied.error().describe();
    EXPECT_THAT(applied.error().message, HasSubstr(words));
    EXPECT_EQ(lab.hypervisor.describe(), world);
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }

  Snapshot named(const std::string& name) {
    const auto all = lab.kept.snapshots().value();
    const auto found = std::ranges::find(all, name, &Snapshot::name);
    if (found != all.end()) return *found;
    ADD_FAILURE() << "There is no snapshot " << name;
    return {};
  }

  Lab lab;
  std::string early;
  std::string late;
};

TEST_F(ApplySnapshotTest, TakesDisksMemoryDefinitionAndPowerOfAllBack) {
  lab.hypervisor.set_power("archive", PowerState::kRunning);
  lab.hypervisor.set_power("cache", PowerState::kRunning);
  const auto applied = lab.apply_snapshot(to("before"));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(lives(lab), early);
  lab.hypervisor.change("web", [](FakeMachine& web) { EXPECT_EQ(web.state.nvram, "early"); });
  EXPECT_FALSE(applied->kept);
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
  EXPECT_TRUE(named("before").is_current);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(ApplySnapshotTest, LeavesOnlyTheFilesOfTheSnapshotAndOfTheBranch) {
  ASSERT_TRUE(lab.apply_snapshot(to("before")));
  const std::string world = lab.hypervisor.describe();
  ASSERT_TRUE(lab.apply_snapshot(to("before")));
  // Two lines for each disk, one for each machine, one for each memory.
  EXPECT_EQ(std::ranges::count(world, '\n'), 2 * 5 + 4 + 3);
  EXPECT_EQ(std::ranges::count(lab.hypervisor.describe(), '\n'), 2 * 5 + 4 + 3);
}

TEST_F(ApplySnapshotTest, CanBeAppliedAgain) {
  ASSERT_TRUE(lab.apply_snapshot(to("before")));
  live_on(lab, "later still");
  ASSERT_TRUE(lab.apply_snapshot(to("before")));
  EXPECT_EQ(lives(lab), early);
}

TEST_F(ApplySnapshotTest, KeepsWhatIsCurrentWhereThatIsWanted) {
  const auto applied = lab.apply_snapshot({"before", true, "after", {}});
  ASSERT_TRUE(applied) << applied.error().describe();
  ASSERT_TRUE(applied->kept);
  EXPECT_EQ(applied->kept->name, "after");
  EXPECT_EQ(lives(lab), early);
  EXPECT_EQ(named("after").parent, named("before").id);
  EXPECT_TRUE(named("before").is_current);
  ASSERT_TRUE(lab.apply_snapshot(to("after")));
  EXPECT_EQ(lives(lab), late);
  EXPECT_TRUE(named("after").is_current);
  // The disks of "before" go on to what "after" has frozen again.
  EXPECT_EQ(named("before").members[0].disks[0].overlay, named("after").members[0].disks[0].frozen.path);
}

TEST_F(ApplySnapshotTest, MakesBranches) {
  ASSERT_TRUE(lab.take_snapshot(standard("one")));
  ASSERT_TRUE(lab.apply_snapshot(to("before")));
  live_on(lab, "other");
  const std::string other = lives(lab);
  ASSERT_TRUE(lab.take_snapshot(standard("two")));
  EXPECT_EQ(named("one").parent, named("before").id);
  EXPECT_EQ(named("two").parent, named("before").id);
  EXPECT_TRUE(named("two").is_current);
  ASSERT_TRUE(lab.apply_snapshot(to("one")));
  EXPECT_EQ(lives(lab), late);
  ASSERT_TRUE(lab.apply_snapshot(to("two")));
  EXPECT_EQ(lives(lab), other);
}

TEST_F(ApplySnapshotTest, LeavesADiskThatHasTakenAnothersPlaceWhatItHolds) {
  lab.add_machine("spare", PowerState::kOff);
  Path file;
  lab.hypervisor.change("spare", [&](FakeMachine& spare) { file = spare.disks.at("vda"); });
  lab.hypervisor.change("archive", [&](FakeMachine& archive) { archive.disks["vda"] = file; });
  ASSERT_TRUE(lab.take_snapshot(standard("with another")));
  const auto disk_of_archive = [this] {
    const Snapshot snapshot = named("with another");
    return std::ranges::find(snapshot.members, "archive", &MemberSnapshot::name)->disks.front();
  };
  const Path overlay = disk_of_archive().overlay;
  ASSERT_TRUE(lab.apply_snapshot(to("before")));
  EXPECT_EQ(disk_of_archive().overlay, overlay);
  EXPECT_THAT(lab.hypervisor.describe(), HasSubstr(overlay.filename().string()));
}

TEST_F(ApplySnapshotTest, LeavesMachinesOffWhoseMemoryWasNotKept) {
  auto request = standard("disks");
  request.without_memory = true;
  ASSERT_TRUE(lab.take_snapshot(request));
  live_on(lab, "later still");
  ASSERT_TRUE(lab.apply_snapshot(to("disks")));
  EXPECT_EQ(lab.hypervisor.power("web"), PowerState::kOff);
  EXPECT_THAT(lab.hypervisor.disk_content("web", "vda"), HasSubstr("1=late"));
}

TEST_F(ApplySnapshotTest, PutsAllBackWhenAnyMemberFails) {
  for (const char* name : {"web", "database", "cache", "archive"}) {
    const std::string world = lab.hypervisor.describe();
    lab.control.fail_next(std::string("restore ") + name, ErrorCode::kHypervisor);
    const auto applied = lab.apply_snapshot(to("before"));
    ASSERT_FALSE(applied);
    EXPECT_THAT(applied.error().describe(), HasSubstr(name));
    EXPECT_EQ(lab.hypervisor.describe(), world) << name;
    EXPECT_THAT(lab.left_open(), IsEmpty());
    EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
    EXPECT_TRUE(named("before").is_current);
  }
}

TEST_F(ApplySnapshotTest, KeepsTheRescueUntilAllAreBack) {
  lab.control.fail_always("restore database", ErrorCode::kHypervisor);
  ASSERT_FALSE(lab.apply_snapshot(to("before")));
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(2));
  EXPECT_THAT(lab.left_open(), Not(IsEmpty()));
  lab.control.clear();
  ASSERT_TRUE(lab.run_recover());
  EXPECT_EQ(lives(lab), late);
  EXPECT_THAT(lab.left_open(), IsEmpty());
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
}

TEST_F(ApplySnapshotTest, LeavesAMachineAloneThatItsOwnerLetsRunBeforeItIsPutBack) {
  lab.control.before("restore web", [this] { lab.control.die(); });
  ASSERT_FALSE(lab.apply_snapshot(to("before")));
  lab.control.clear();
  lab.hypervisor.set_power("web", PowerState::kRunning);
  lab.hypervisor.write("web", "vda", 7, "of its owner");
  ASSERT_TRUE(lab.run_recover());
  EXPECT_THAT(lab.hypervisor.disk_content("web", "vda"), HasSubstr("7=of its owner"));
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(ApplySnapshotTest, RefusesARecoverySnapshot) {
  ASSERT_TRUE(lab.take_of_shop("nightly"));
  expect_refused(to("nightly"), ErrorCode::kUnsupported, "only standard ones");
}

TEST_F(ApplySnapshotTest, RefusesOtherMembersAndNamesThem) {
  lab.add_machine("new", PowerState::kOff);
  ASSERT_TRUE(lab.collections.add_members("shop", {"new"}));
  ASSERT_TRUE(lab.collections.remove_members("shop", {"archive"}));
  lab.control.clear();
  expect_refused(to("before"), ErrorCode::kInvalidState, "Added since: \"new\". Gone since: \"archive\".");
}

TEST_F(ApplySnapshotTest, RefusesADiskThatIsOnAFileOfSomebodyElse) {
  FakeMachine stranger;
  stranger.summary.name = "stranger";
  stranger.disks["vda"] = "/nonexistent/disks/stranger.qcow2";
  lab.hypervisor.add_machine(stranger);
  lab.hypervisor.change("database",
                        [](FakeMachine& machine) { machine.disks["vda"] = "/nonexistent/disks/stranger.qcow2"; });
  expect_refused(to("before"), ErrorCode::kInvalidState, "no overlay of a snapshot");
}

TEST_F(ApplySnapshotTest, WaitsForADeletionThatWasBegun) {
  ASSERT_TRUE(lab.take_snapshot(standard("after")));
  lab.control.fail_next("merge_overlay database", ErrorCode::kHypervisor);
  ASSERT_FALSE(lab.delete_snapshot({"before"}));
  expect_refused(to("after"), ErrorCode::kInvalidState, "cohort snapshot delete");
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  ASSERT_TRUE(lab.apply_snapshot(to("after")));
}

TEST_F(ApplySnapshotTest, PlansWithoutAChange) {
  const std::string world = lab.hypervisor.describe();
  const auto plan = lab.apply.plan(to("before"));
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_EQ(plan->snapshot.name, "before");
  EXPECT_THAT(plan->rescue.members, SizeIs(4));
  EXPECT_EQ(lab.hypervisor.describe(), world);
}

// Either all went back, or none; nothing is left of it, and nobody stands still.
void expect_whole(Lab& lab, const std::string& early, const std::string& late) {
  EXPECT_THAT(lives(lab), AnyOf(Eq(early), Eq(late)));
  EXPECT_THAT(lab.left_open(), IsEmpty());
  EXPECT_THAT(lab.kept.snapshots().value(), SizeIs(1));
  EXPECT_TRUE(lab.kept.snapshots().value().front().is_current);
  EXPECT_EQ(std::ranges::count(lab.hypervisor.describe(), '\n'), 2 * 5 + 4 + 3);
  ASSERT_TRUE(lab.apply_snapshot(to("before")));
  EXPECT_EQ(lives(lab), early);
  ASSERT_TRUE(lab.delete_snapshot({"before"}));
  EXPECT_EQ(lives(lab), early);
}

TEST(ApplySnapshot, IsWholeAfterADeathAtAnyCall) {
  for (std::size_t number = 1;; ++number) {
    Lab lab;
    prepare(lab);
    const std::string late = lives(lab);
    lab.control.clear();
    lab.control.die_at(number);
    static_cast<void>(lab.apply_snapshot(to("before")));
    if (!lab.control.is_dead()) {
      EXPECT_GT(number, 60U);
      return;
    }
    SCOPED_TRACE(fmt::format("death after call {}: {}", number, lab.control.calls()[number - 1]));
    lab.control.clear();
    ASSERT_TRUE(lab.run_recover());
    Lab other;
    other.add_shop();
    live_on(other, "early");
    expect_whole(lab, lives(other), late);
    if (::testing::Test::HasFailure()) return;
  }
}

class OneFailureOfApply : public ::testing::TestWithParam<bool> {};

TEST_P(OneFailureOfApply, LeavesItWhole) {
  for (std::size_t number = 1;; ++number) {
    Lab lab;
    prepare(lab);
    const std::string late = lives(lab);
    lab.control.clear();
    lab.control.fail_at(number, GetParam());
    static_cast<void>(lab.apply_snapshot(to("before")));
    if (lab.control.calls().size() < number) return;
    SCOPED_TRACE(fmt::format("failure of call {}: {}", number, lab.control.calls()[number - 1]));
    lab.control.clear();
    ASSERT_TRUE(lab.run_recover());
    Lab other;
    other.add_shop();
    live_on(other, "early");
    expect_whole(lab, lives(other), late);
    if (::testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(ApplySnapshot, OneFailureOfApply, ::testing::Bool());

}  // namespace
}  // namespace cohort::service
