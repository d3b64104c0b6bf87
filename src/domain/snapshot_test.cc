#include "domain/snapshot.h"

#include <gtest/gtest.h>

namespace cohort {
namespace {

WallTime at(int microseconds) { return WallTime{Microseconds(microseconds)}; }

MemberSnapshot ran(std::optional<Pause> pause) {
  MemberSnapshot member;
  member.power = PowerState::kRunning;
  member.pause = pause;
  return member;
}

TEST(MeasureOverlap, LatestStopToEarliestResume) {
  FenceRecord fence;
  measure_overlap({ran(Pause{at(10), at(40)}), ran(Pause{at(20), at(30)}), MemberSnapshot{}}, fence);
  EXPECT_EQ(fence.overlap_begin, at(20));
  EXPECT_EQ(fence.overlap_end, at(30));
  EXPECT_TRUE(fence.is_proven());
}

TEST(MeasureOverlap, PausesThatDoNotMeetProveNothing) {
  FenceRecord fence;
  measure_overlap({ran(Pause{at(10), at(20)}), ran(Pause{at(20), at(30)})}, fence);
  EXPECT_FALSE(fence.is_proven());
}

TEST(MeasureOverlap, OneUnmeasuredMemberLeavesNothingProven) {
  FenceRecord fence;
  measure_overlap({ran(Pause{at(10), at(40)}), ran(std::nullopt)}, fence);
  EXPECT_FALSE(fence.overlap_begin);
  EXPECT_FALSE(fence.is_proven());
}

TEST(MeasureOverlap, NobodyRan) {
  FenceRecord fence;
  measure_overlap({MemberSnapshot{}}, fence);
  EXPECT_FALSE(fence.overlap_begin);
}

TEST(OverlayPath, NamesDoNotGrow) {
  const auto first = SnapshotId::parse("11111111-2222-4333-8444-555555555555").value();
  const auto second = SnapshotId::parse("aaaaaaaa-2222-4333-8444-555555555555").value();
  const Path overlay = overlay_path("/images/my db.img", first);
  EXPECT_EQ(overlay, "/images/my db.cohort-11111111.qcow2");
  EXPECT_EQ(overlay_path(overlay, second), "/images/my db.cohort-aaaaaaaa.qcow2");
}

TEST(OverlayPath, OnlyItsOwnNamesAreRecognised) {
  EXPECT_TRUE(is_overlay_name("/x/a.cohort-0123abcd.qcow2"));
  for (const char* path : {"/x/a.qcow2", "/x/a.cohort-0123abcd", "/x/a.cohort-0123abcX.qcow2", "/x/a.cohort-123.qcow2",
                           "/x/cohort-0123abcd.qcow2"}) {
    EXPECT_FALSE(is_overlay_name(path)) << path;
  }
}

TEST(SnapshotLife, IsATable) {
  EXPECT_TRUE(is_allowed(SnapshotState::kCreating, SnapshotState::kReady));
  EXPECT_TRUE(is_allowed(SnapshotState::kReady, SnapshotState::kDeleting));
  EXPECT_TRUE(is_allowed(SnapshotState::kCreating, SnapshotState::kDeleting));
  EXPECT_TRUE(is_allowed(SnapshotState::kReady, SnapshotState::kShared));
  EXPECT_TRUE(is_allowed(SnapshotState::kShared, SnapshotState::kDeleting));
  EXPECT_TRUE(is_allowed(SnapshotState::kDeleting, SnapshotState::kShared));
  EXPECT_FALSE(is_allowed(SnapshotState::kShared, SnapshotState::kReady));
  EXPECT_FALSE(is_allowed(SnapshotState::kCreating, SnapshotState::kShared));
  EXPECT_FALSE(is_allowed(SnapshotState::kDeleting, SnapshotState::kReady));
  EXPECT_FALSE(is_allowed(SnapshotState::kReady, SnapshotState::kCreating));
}

TEST(SnapshotLife, NamesAreReadBack) {
  for (int i = 0; i <= static_cast<int>(SnapshotState::kDeleting); ++i) {
    EXPECT_EQ(snapshot_state_from(to_string(static_cast<SnapshotState>(i))), static_cast<SnapshotState>(i));
  }
  for (int i = 0; i <= static_cast<int>(LeftOutReason::kTransient); ++i) {
    EXPECT_EQ(left_out_reason_from(to_string(static_cast<LeftOutReason>(i))), static_cast<LeftOutReason>(i));
  }
  for (int i = 0; i <= static_cast<int>(PowerState::kOther); ++i) {
    EXPECT_EQ(power_state_from(to_string(static_cast<PowerState>(i))), static_cast<PowerState>(i));
  }
}

}  // namespace
}  // namespace cohort
