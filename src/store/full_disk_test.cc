#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <fstream>

#include "base/temporary_folder.h"
#include "store/space_reserve.h"
#include "store/testing.h"

namespace cohort::store {
namespace {

using ::testing::HasSubstr;

constexpr int kCannotMount = 77;

void fill_up(const Path& file) {
  std::ofstream out(file, std::ios::binary);
  const std::string block(4096, 'x');
  while (out.write(block.data(), static_cast<std::streamsize>(block.size())) && out.flush()) {
  }
}

// A folder on a small file system of its own.
class Place {
 public:
  explicit Place(Path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] Path state() const { return folder_ / "state"; }
  [[nodiscard]] Path reserve() const { return state() / "cohort.db.reserve"; }
  void fill() const { fill_up(folder_ / "filler"); }
  void make_room() const { std::filesystem::remove(folder_ / "filler"); }

 private:
  Path folder_;
};

// Runs `work` in a mount namespace of its own, so that nothing of the file system is left however it ends.
void with_small_file_system(const std::function<void(const Place&)>& work) {
  const TemporaryFolder folder;
  const int status =
      Child([&] {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=8m") != 0) {
          return kCannotMount;
        }
        work(Place(folder.path()));
        return ::testing::Test::HasFailure() ? 1 : 0;
      }).wait();
  if (status == kCannotMount) {
    GTEST_SKIP() << "SKIP: this user cannot mount a tmpfs";
  }
  EXPECT_EQ(status, 0);
}

std::string stored_name(service::StateStore& store, const SnapshotId& id) {
  const auto stored = store.snapshot(id);
  return stored ? stored->name : stored.error().describe();
}

// The log may have room for some more.
Result<void> change_until_refused(service::StateStore& store, const SnapshotId& id, int& generation) {
  Result<void> outcome;
  while (outcome && generation < 1000) {
    outcome = store.update_snapshot(snapshot_of_generation(id, ++generation));
  }
  return outcome;
}

Job job_of(JobType type) {
  Job job = running_job();
  job.type = type;
  return job;
}

// As a job does that has failed, with as many changes as a large collection needs.
void expect_taken_back(service::StateStore& store, Snapshot snapshot, Job job, const UndoStep& step) {
  snapshot.state = SnapshotState::kDeleting;
  EXPECT_TRUE(store.update_snapshot(snapshot));
  for (int i = 0; i < 200; ++i) {
    const auto marked = store.mark_merged("/x/overlay", i % 2 == 0);
    EXPECT_TRUE(marked) << i << ": " << marked.error().describe();
  }
  EXPECT_TRUE(store.stamp_frozen("/x/1", FileStamp{1, 2, 3}));
  EXPECT_TRUE(store.move_frozen("/x/1", {"/x/2", "qcow2"}));
  EXPECT_TRUE(store.remove_snapshot(snapshot.id));
  EXPECT_TRUE(store.remove_undo_step(step));
  job.state = JobState::kFailed;
  EXPECT_TRUE(store.update_job(job));
  EXPECT_TRUE(store.finish_job(job));
}

TEST(OnAFullFileSystem, KeepsTheStateBeforeAndGoesOnWhenThereIsRoom) {
  with_small_file_system([](const Place& place) {
    const SnapshotId id = SnapshotId::generate();
    const auto store = open_or_exit(place.state(), Access::kWrite);
    EXPECT_TRUE(store->add_snapshot(snapshot_of_generation(id, 1)));
    place.fill();
    int generation = 1;
    const auto outcome = change_until_refused(*store, id, generation);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::kNoSpace) << outcome.error().describe();
    EXPECT_EQ(stored_name(*store, id), std::to_string(generation - 1));
    place.make_room();
    EXPECT_TRUE(store->update_snapshot(snapshot_of_generation(id, 5000))) << "there is room again";
    EXPECT_EQ(stored_name(*store, id), "5000");
  });
}

TEST(OnAFullFileSystem, TakesBackWhatWasBegunAndBeginsNothing) {
  with_small_file_system([](const Place& place) {
    const auto store = open_or_exit(place.state(), Access::kWrite);
    const Snapshot snapshot = snapshot_of_generation(SnapshotId::generate(), 1);
    const Job job = job_of(JobType::kTakeSnapshot);
    ASSERT_TRUE(store->add_job(job));
    const auto step = store->add_undo_step(job.id, UndoKind::kAbandonSnapshot, snapshot.id.str());
    ASSERT_TRUE(step);
    ASSERT_TRUE(store->add_snapshot(snapshot));
    place.fill();
    int generation = 1;
    EXPECT_FALSE(change_until_refused(*store, snapshot.id, generation));
    expect_taken_back(*store, snapshot, job, *step);
    const auto begun = store->add_job(job_of(JobType::kExport));
    ASSERT_FALSE(begun) << "the reserve is not whole";
    EXPECT_EQ(begun.error().code, ErrorCode::kNoSpace);
    EXPECT_THAT(begun.error().message, HasSubstr(place.reserve().string()));
    place.make_room();
    EXPECT_TRUE(store->add_job(job_of(JobType::kExport)));
    EXPECT_EQ(*size_of_file(place.reserve()), SpaceReserve::kBytes);
  });
}

TEST(OnAFullFileSystem, CanBeLookedAtAndRelieved) {
  with_small_file_system([](const Place& place) {
    const Snapshot snapshot = snapshot_of_generation(SnapshotId::generate(), 1);
    ASSERT_TRUE(open_or_exit(place.state(), Access::kWrite)->add_snapshot(snapshot));
    place.fill();
    {
      const auto reader = open_or_fail(place.state(), Access::kRead);
      ASSERT_NE(reader, nullptr);
      EXPECT_EQ(stored_name(*reader, snapshot.id), "1");
    }
    const auto store = open_or_fail(place.state());
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->add_job(job_of(JobType::kTakeSnapshot)).error().code, ErrorCode::kNoSpace);
    const Job job = job_of(JobType::kDeleteSnapshot);
    ASSERT_TRUE(store->add_job(job));
    const auto step = store->add_undo_step(job.id, UndoKind::kDeleteSnapshot, snapshot.id.str());
    ASSERT_TRUE(step);
    EXPECT_TRUE(store->request_cancel(job.id));
    expect_taken_back(*store, snapshot, job, *step);
  });
}

TEST(OnAFullFileSystem, SaysSoWhereNothingIsLeftToGive) {
  with_small_file_system([](const Place& place) {
    ASSERT_NE(open_or_exit(place.state(), Access::kWrite), nullptr);
    std::filesystem::remove(place.reserve());
    place.fill();
    for (const Access access : {Access::kRead, Access::kWrite}) {
      const auto opened = open_sqlite_store(place.state(), access, kUri);
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().code, ErrorCode::kNoSpace) << opened.error().describe();
    }
  });
}

}  // namespace
}  // namespace cohort::store
