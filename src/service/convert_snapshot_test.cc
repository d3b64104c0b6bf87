#include "service/convert_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "service/lookup.h"
#include "service/testing/lab.h"

namespace cohort::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReferencePoints : public ::testing::Test {
 protected:
  ReferencePoints() { lab.add_shop(); }

  [[nodiscard]] std::vector<std::string> names_of(const Result<std::vector<Snapshot>>& listed) const {
    std::vector<std::string> names;
    for (const auto& each : *listed) names.push_back(each.name);
    return names;
  }
  [[nodiscard]] std::vector<std::string> snapshots() { return names_of(list_snapshots(lab.kept, "")); }
  [[nodiscard]] std::vector<std::string> points() { return names_of(list_reference_points(lab.kept, "shop")); }

  void expect_snapshot(const Snapshot& taken) {
    const auto now = lab.kept.snapshot(taken.id).value();
    EXPECT_EQ(now.kind, SnapshotKind::kRecovery);
    EXPECT_TRUE(now.reference_point.is_nil());
    EXPECT_TRUE(now.members[0].disks[0].tracking_id.is_nil());
    EXPECT_THAT(lab.left_open(), IsEmpty());
  }

  Lab lab;
};

TEST_F(ReferencePoints, AConvertedSnapshotIsNoneAnyMore) {
  const Snapshot taken = lab.take_of_shop("monday").value();
  const std::string before = lab.hypervisor.describe();
  const auto point = lab.convert("monday");
  ASSERT_TRUE(point) << point.error().describe();
  EXPECT_EQ(point->id, taken.id);
  EXPECT_NE(point->reference_point.str(), taken.id.str());
  EXPECT_EQ(lab.newest_job().result, point->reference_point.str());
  EXPECT_THAT(snapshots(), IsEmpty());
  EXPECT_THAT(points(), ElementsAre("monday"));
  EXPECT_EQ(find_snapshot(lab.kept, "monday").error().code, ErrorCode::kInvalidState);
  EXPECT_EQ(find_snapshot(lab.kept, taken.id.str()).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(find_reference_point(lab.kept, point->reference_point.short_str())->name, "monday");
  EXPECT_EQ(lab.hypervisor.describe(), before);
  EXPECT_THAT(lab.left_open(), IsEmpty());
}

TEST_F(ReferencePoints, EachDiskHasBothIdentifiers) {
  const Snapshot first = lab.create_reference_point("first").value();
  const Snapshot second = lab.create_reference_point("second").value();
  for (std::size_t m = 0; m < first.members.size(); ++m) {
    for (std::size_t d = 0; d < first.members[m].disks.size(); ++d) {
      const auto& one = first.members[m].disks[d];
      const auto& other = second.members[m].disks[d];
      EXPECT_FALSE(one.tracking_id.is_nil());
      EXPECT_EQ(one.id, other.id);
      EXPECT_NE(one.tracking_id, other.tracking_id);
    }
  }
}

TEST_F(ReferencePoints, OneThatIsCreatedWasNeverASnapshot) {
  const auto point = lab.create_reference_point("monday");
  ASSERT_TRUE(point) << point.error().describe();
  EXPECT_EQ(point->state, SnapshotState::kReady);
  EXPECT_THAT(snapshots(), IsEmpty());
  EXPECT_THAT(points(), ElementsAre("monday"));
  EXPECT_EQ(lab.newest_job().result, point->reference_point.str());
  const auto taken = lab.take_of_shop("monday");
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("a reference point named"));
}

TEST_F(ReferencePoints, RefusesWhatIsNoRecoverySnapshotOfTheUsers) {
  EXPECT_EQ(lab.convert("nobody").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(lab.create_reference_point("point"));
  EXPECT_EQ(lab.convert("point").error().code, ErrorCode::kInvalidState);
  Snapshot taken = lab.take_of_shop("monday").value();
  taken.kept_for = "/backup";
  ASSERT_TRUE(lab.kept.update_snapshot(taken));
  const auto kept = lab.convert("monday");
  EXPECT_EQ(kept.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(kept.error().message, HasSubstr("/backup"));
  taken.kept_for.clear();
  taken.state = SnapshotState::kDeleting;
  ASSERT_TRUE(lab.kept.update_snapshot(taken));
  EXPECT_THAT(lab.convert("monday").error().message, HasSubstr("deleting"));
  EXPECT_THAT(snapshots(), ElementsAre("monday"));
}

TEST_F(ReferencePoints, ACancelledConversionLeavesTheSnapshot) {
  const Snapshot taken = lab.take_of_shop("monday").value();
  std::stop_source stop;
  lab.control.before("update_snapshot", [&] { stop.request_stop(); });
  const auto point = lab.convert("monday", {stop.get_token(), {}});
  ASSERT_FALSE(point);
  EXPECT_EQ(point.error().code, ErrorCode::kCancelled);
  expect_snapshot(taken);
}

TEST_F(ReferencePoints, AConversionIsWholeWhereverItsProcessDied) {
  for (std::size_t number = 1;; ++number) {
    Lab world;
    world.add_shop();
    const Snapshot taken = world.take_of_shop("monday").value();
    world.control.clear();
    world.control.die_at(number);
    static_cast<void>(world.convert("monday"));
    if (!world.control.is_dead()) {
      EXPECT_GT(number, 5U);
      return;
    }
    SCOPED_TRACE(world.control.calls()[number - 1]);
    world.control.clear();
    const auto recovered = world.run_recover();
    ASSERT_TRUE(recovered) << recovered.error().describe();
    EXPECT_THAT(recovered->failures, IsEmpty());
    EXPECT_THAT(world.left_open(), IsEmpty());
    const auto jobs = world.kept.jobs().value();
    const auto job = std::ranges::find(jobs, JobType::kConvert, &Job::type);
    const bool has_ended_well = job != jobs.end() && job->state == JobState::kCompleted;
    EXPECT_EQ(is_reference_point(world.kept.snapshot(taken.id).value()), has_ended_well);
  }
}

TEST_F(ReferencePoints, DeletingOneLeavesTheOthersWhatTheyHold) {
  const std::string before = lab.hypervisor.describe();
  ASSERT_TRUE(lab.create_reference_point("first"));
  lab.hypervisor.write("web", "vda", 1, "after first");
  ASSERT_TRUE(lab.create_reference_point("second"));
  const auto held = [&](const std::string& name) {
    return lab.hypervisor.content(find_reference_point(lab.kept, name)->members[0].disks[0].frozen.path);
  };
  const std::string second = held("second");
  lab.hypervisor.write("web", "vda", 2, "after second");
  const auto deleted = lab.delete_reference_point("first");
  ASSERT_TRUE(deleted) << deleted.error().describe();
  EXPECT_EQ(deleted->name, "first");
  EXPECT_EQ(held("second"), second);
  EXPECT_THAT(points(), ElementsAre("second"));
  ASSERT_TRUE(lab.delete_reference_point("second"));
  EXPECT_THAT(points(), IsEmpty());
  EXPECT_THAT(lab.hypervisor.disk_content("web", "vda"), HasSubstr("2=after second"));
  EXPECT_EQ(lab.hypervisor.active_file("web", "vda"), "/nonexistent/disks/web-vda.qcow2");
}

TEST_F(ReferencePoints, NeitherIsDeletedAsTheOther) {
  ASSERT_TRUE(lab.take_of_shop("snapshot"));
  ASSERT_TRUE(lab.create_reference_point("point"));
  EXPECT_EQ(lab.delete_snapshot({"point"}).error().code, ErrorCode::kInvalidState);
  EXPECT_EQ(lab.delete_reference_point("snapshot").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(snapshots(), SizeIs(1));
  EXPECT_THAT(points(), SizeIs(1));
}

TEST_F(ReferencePoints, TheCommandThatGoesOnIsNamed) {
  const Snapshot point = lab.create_reference_point("point").value();
  lab.control.fail_always("merge_overlay", ErrorCode::kIo);
  const auto deleted = lab.delete_reference_point("point");
  ASSERT_FALSE(deleted);
  EXPECT_THAT(deleted.error().message,
              HasSubstr("`cohort reference delete " + point.reference_point.short_str() + "`"));
  lab.control.clear();
  EXPECT_TRUE(lab.delete_reference_point("point"));
}

TEST_F(ReferencePoints, ACollectionWithOneCannotBeDeleted) {
  ASSERT_TRUE(lab.create_reference_point("point"));
  EXPECT_EQ(lab.collections.show("shop")->snapshots, 0U);
  EXPECT_EQ(lab.collections.show("shop")->reference_points, 1U);
  const auto removed = lab.collections.remove("shop");
  ASSERT_FALSE(removed);
  EXPECT_THAT(removed.error().message, HasSubstr("1 reference point(s)"));
}

}  // namespace
}  // namespace cohort::service
