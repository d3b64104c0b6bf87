// What is in the store after its process died in the middle, or after the disk refused.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <random>

#include "base/temporary_folder.h"
#include "store/testing.h"

namespace cohort::store {
namespace {

// The generation that the stored snapshot has in all its parts; -1 if they differ.
int stored_generation(service::StateStore& store, const SnapshotId& id) {
  const auto snapshot = store.snapshot(id);
  if (!snapshot || snapshot->members.size() != 8) {
    return -1;
  }
  for (const MemberSnapshot& member : snapshot->members) {
    if (member.name != snapshot->name || member.disks.size() != 1 ||
        member.disks[0].frozen.path != "/x/" + snapshot->name) {
      return -1;
    }
  }
  return std::stoi(snapshot->name);
}

// Stores generation 1, then dies at `point` while it stores the second.
int die_at(const char* point, const Path& state, const SnapshotId& id) {
  const auto store = open_or_exit(state, Access::kWrite);
  if (!store->add_snapshot(snapshot_of_generation(id, 1))) {
    return 1;
  }
  ::setenv("COHORT_KILL_AT", point, 1);
  (void)store->update_snapshot(snapshot_of_generation(id, 2));
  return 2;
}

class KilledInATransaction : public ::testing::Test {
 protected:
  int generation_after(const char* point) const {
    const SnapshotId id = SnapshotId::generate();
    EXPECT_EQ(Child([&] { return die_at(point, folder_.path(), id); }).wait(), 128 + SIGKILL);
    const auto store = open_or_fail(folder_.path());
    return store ? stored_generation(*store, id) : -1;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(KilledInATransaction, KeepsTheStateBeforeUntilItIsCommitted) {
#ifndef COHORT_KILL_POINTS
  GTEST_SKIP() << "SKIP: this build has no kill points";
#endif
  EXPECT_EQ(generation_after("store.before_commit"), 1);
}

TEST_F(KilledInATransaction, HasTheStateAfterOnceItIsCommitted) {
#ifndef COHORT_KILL_POINTS
  GTEST_SKIP() << "SKIP: this build has no kill points";
#endif
  EXPECT_EQ(generation_after("store.after_commit"), 2);
}

// Stores one generation after the other and tells which are durable.
int write_generations(const Path& state, const SnapshotId& id, const SharedNumber& durable) {
  const auto store = open_or_exit(state, Access::kWrite);
  for (int next = *durable + 1;; ++next) {
    if (!store->update_snapshot(snapshot_of_generation(id, next))) {
      return 1;
    }
    *durable = next;
  }
}

TEST(KilledAnywhere, LosesNothingThatWasReportedAndTearsNothing) {
  const TemporaryFolder folder;
  const SnapshotId id = SnapshotId::generate();
  ASSERT_TRUE(open_or_fail(folder.path())->add_snapshot(snapshot_of_generation(id, 0)));
  const SharedNumber durable;
  std::minstd_rand random(1);
  for (int round = 0; round < 12; ++round) {
    const int begin = *durable;
    Child child([&] { return write_generations(folder.path(), id, durable); });
    ASSERT_TRUE(durable.reaches(begin + 2));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));
    child.kill();
    const auto store = open_or_fail(folder.path());
    ASSERT_NE(store, nullptr);
    const int stored = stored_generation(*store, id);
    ASSERT_GE(stored, *durable) << "round " << round;
    ASSERT_LE(stored, *durable + 1) << "round " << round;
    *durable = stored;
  }
}

TEST(KilledAnywhere, LeavesANewStateThatCanBeOpenedAgain) {
  std::minstd_rand random(2);
  for (int round = 0; round < 25; ++round) {
    const TemporaryFolder folder;
    const SharedNumber begun;
    Child child([&] {
      *begun = 1;
      open_or_exit(folder.path(), Access::kWrite);
      return 0;
    });
    ASSERT_TRUE(begun.reaches(1));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    child.kill();
    ASSERT_NE(open_or_fail(folder.path()), nullptr) << "round " << round;
  }
}

// Makes writing fail in this process as on a broken disk: past this size a write gives EFBIG.
void limit_file_size(rlim_t bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, RLIM_INFINITY};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

int change_after_a_failed_write(const Path& state, const SnapshotId& id) {
  const auto store = open_or_exit(state, Access::kWrite);
  EXPECT_TRUE(store->add_snapshot(snapshot_of_generation(id, 1)));
  limit_file_size(1000);
  const auto failed = store->update_snapshot(snapshot_of_generation(id, 2));
  limit_file_size(RLIM_INFINITY);
  EXPECT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kIo) << failed.error().describe();
  const auto later = store->update_snapshot(snapshot_of_generation(id, 3));
  EXPECT_FALSE(later) << "what is in the file is not known any more";
  EXPECT_EQ(later.error().code, ErrorCode::kIo);
  return ::testing::Test::HasFailure() ? 1 : 0;
}

TEST(RefusedByTheDisk, ChangesNothingFurtherAfterAFailedWrite) {
  const TemporaryFolder folder;
  const SnapshotId id = SnapshotId::generate();
  EXPECT_EQ(Child([&] { return change_after_a_failed_write(folder.path(), id); }).wait(), 0);
  const auto store = open_or_fail(folder.path());
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(stored_generation(*store, id), 1);
}

}  // namespace
}  // namespace cohort::store
