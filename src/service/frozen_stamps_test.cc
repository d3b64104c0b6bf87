#include "service/frozen_stamps.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "base/process.h"
#include "base/temporary_folder.h"
#include "service/testing/fake_state_store.h"

namespace cohort::service {
namespace {

// One disk with three snapshots: 0 <- 1 <- 2 <- 3, where 3 is what the machine writes to.
class FrozenStamps : public ::testing::Test {
 protected:
  FrozenStamps() {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(create_file(file(i), "first"));
    for (std::size_t i = 0; i < 3; ++i) {
      Snapshot snapshot;
      snapshot.id = ids[i];
      snapshot.instant = WallTime(Microseconds(i + 1));
      MemberSnapshot& member = snapshot.members.emplace_back();
      member.name = "web";
      const int number = static_cast<int>(i);
      member.disks = {{"vda", {file(number), "qcow2"}, file(number + 1), 1}};
      if (number > 0) member.disks[0].stands_on = file(number - 1);
      stamp_frozen_files(snapshot);
      EXPECT_TRUE(snapshot.members[0].disks[0].stamp);
      EXPECT_TRUE(store.add_snapshot(snapshot));
    }
  }

  [[nodiscard]] Path file(int number) const { return folder.path() / std::to_string(number); }
  void write_to(int number) const { std::ofstream(file(number), std::ios::app) << "more"; }
  [[nodiscard]] DiskSnapshot disk(std::size_t snapshot) { return store.snapshot(ids[snapshot])->members[0].disks[0]; }
  [[nodiscard]] bool is_unwritten(std::size_t snapshot) {
    const auto kept = store.snapshot(ids[snapshot]).value();
    const auto checked = check_unwritten(kept, kept.members[0], kept.members[0].disks[0], store.snapshots().value());
    EXPECT_TRUE(checked || checked.error().code == ErrorCode::kCorrupt);
    return checked.has_value();
  }
  // As a merge of the snapshot's overlay does it: into the file below, and the header of the file above.
  void merge(std::size_t snapshot) {
    const DiskSnapshot merged = disk(snapshot);
    ASSERT_TRUE(withdraw_stamps(merged, store));
    std::ofstream(merged.frozen.path, std::ios::app) << "merged";
    for (std::size_t i = 0; i < 3; ++i) {
      const auto other = store.snapshot(ids[i]);
      if (other && other->members[0].disks[0].frozen.path == merged.overlay) {
        std::ofstream(other->members[0].disks[0].overlay, std::ios::app) << "header";
      }
    }
    ASSERT_TRUE(store.move_frozen(merged.overlay, merged.frozen));
    ASSERT_TRUE(renew_stamps(merged, store));
    ASSERT_TRUE(store.remove_snapshot(ids[snapshot]));
  }

  TemporaryFolder folder;
  FakeStateStore store{folder.path()};
  std::array<SnapshotId, 3> ids{SnapshotId::generate(), SnapshotId::generate(), SnapshotId::generate()};
};

TEST_F(FrozenStamps, FitUntilSomebodyWrites) {
  write_to(3);  // the machine does
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(is_unwritten(i)) << i;
  write_to(1);
  EXPECT_TRUE(is_unwritten(0));
  EXPECT_FALSE(is_unwritten(1));
  EXPECT_FALSE(is_unwritten(2)) << "what it does not hold itself it reads there";
}

TEST_F(FrozenStamps, FitAfterMergesOldestFirst) {
  merge(0);
  EXPECT_TRUE(is_unwritten(1));
  EXPECT_TRUE(is_unwritten(2));
  merge(1);
  EXPECT_TRUE(is_unwritten(2));
}

TEST_F(FrozenStamps, FitAfterMergesNewestFirst) {
  merge(2);
  EXPECT_TRUE(is_unwritten(0));
  EXPECT_TRUE(is_unwritten(1));
  merge(1);
  EXPECT_TRUE(is_unwritten(0));
}

TEST_F(FrozenStamps, FitAfterAMergeInTheMiddle) {
  merge(1);
  EXPECT_TRUE(is_unwritten(0));
  EXPECT_TRUE(is_unwritten(2));
  EXPECT_TRUE(disk(2).stamp);
  write_to(1);
  EXPECT_FALSE(is_unwritten(2)) << "watched as before";
}

TEST_F(FrozenStamps, AMergeDoesNotHideThatAFileWasWrittenTo) {
  write_to(0);
  merge(0);
  EXPECT_FALSE(is_unwritten(1));
  EXPECT_FALSE(is_unwritten(2));
}

TEST_F(FrozenStamps, AMergeDoesNotHideThatTheFileAboveWasWrittenTo) {
  write_to(2);
  merge(0);
  EXPECT_TRUE(is_unwritten(1));
  EXPECT_FALSE(is_unwritten(2));
}

TEST_F(FrozenStamps, RefuseNothingAfterACrashInTheMiddleOfAMerge) {
  const DiskSnapshot merged = disk(0);
  ASSERT_TRUE(withdraw_stamps(merged, store));
  write_to(0);
  write_to(2);
  EXPECT_TRUE(is_unwritten(1));
  EXPECT_TRUE(is_unwritten(2));
  merge(0);
  EXPECT_TRUE(disk(1).stamp);
  EXPECT_TRUE(disk(2).stamp);
  EXPECT_TRUE(is_unwritten(1));
  EXPECT_TRUE(is_unwritten(2));
}

TEST_F(FrozenStamps, OfAnOlderSnapshotDoNotSpoilOneThatWasTakenAfterTheWrite) {
  write_to(0);
  Snapshot later = store.snapshot(ids[2]).value();
  later.instant =
      WallTime(std::chrono::duration_cast<Microseconds>(std::chrono::nanoseconds(stamp_of(file(0))->modified_ns))) +
      Microseconds(1);
  ASSERT_TRUE(store.update_snapshot(later));
  EXPECT_FALSE(is_unwritten(0));
  EXPECT_FALSE(is_unwritten(1));
  EXPECT_TRUE(is_unwritten(2));
  const DiskSnapshot merged = disk(0);
  ASSERT_TRUE(withdraw_stamps(merged, store)) << "and the process dies";
  merge(0);
  EXPECT_FALSE(is_unwritten(1));
  EXPECT_TRUE(is_unwritten(2));
}

TEST_F(FrozenStamps, AreNotNeeded) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store.stamp_frozen(file(i), std::nullopt));
  write_to(0);
  EXPECT_TRUE(is_unwritten(0)) << "of a snapshot that an earlier version has taken";
}

TEST_F(FrozenStamps, OfAFileThatIsGoneDoNotFit) {
  std::filesystem::remove(file(0));
  EXPECT_FALSE(is_unwritten(0));
}

TEST_F(FrozenStamps, AreOfTheExternalDataFileToo) {
  const Path data = folder.path() / "data";
  std::filesystem::remove(file(0));
  const auto made =
      run_process({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=" + data.string(), file(0), "1M"});
  ASSERT_TRUE(made && made->exit_status == 0);
  Snapshot first = store.snapshot(ids[0]).value();
  stamp_frozen_files(first);
  ASSERT_TRUE(store.update_snapshot(first));
  EXPECT_TRUE(is_unwritten(1));
  std::ofstream(data, std::ios::app) << "more";
  EXPECT_FALSE(is_unwritten(0));
  EXPECT_FALSE(is_unwritten(1)) << "what it does not hold itself it reads there";
}

}  // namespace
}  // namespace cohort::service
