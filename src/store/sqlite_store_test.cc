#include "store/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "base/temporary_folder.h"
#include "store/open.h"
#include "store/tables.h"
#include "store/testing.h"

namespace cohort::store {
namespace {

using ::testing::HasSubstr;

mode_t mode_of(const Path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777U;
}

TEST(SqliteStore, MakesItsFolderAndFilesForItsUserAlone) {
  const TemporaryFolder folder;
  const Path state = folder.path() / "a" / "state";
  const mode_t before = ::umask(0);
  const auto store = open_or_fail(state);
  ::umask(before);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(mode_of(state), 0711U);
  EXPECT_EQ(mode_of(state / "cohort.db"), 0600U);
  EXPECT_EQ(mode_of(state / "lock"), 0600U);
  ASSERT_TRUE(store->add_job(running_job()));
  EXPECT_EQ(mode_of(state / "cohort.db-wal"), 0600U);
}

TEST(SqliteStore, KeepsTheStateFromOneOpeningToTheNext) {
  const TemporaryFolder folder;
  const Job job = running_job();
  ASSERT_TRUE(open_or_fail(folder.path())->add_job(job));
  const auto store = open_or_fail(folder.path());
  ASSERT_NE(store, nullptr);
  EXPECT_TRUE(store->job(job.id));
}

TEST(SqliteStore, ReadsAnEmptyStateBeforeTheFirstWriter) {
  const TemporaryFolder folder;
  const auto store = open_or_fail(folder.path() / "none", Access::kRead);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store->jobs()->size(), 0U);
  EXPECT_EQ(store->collections()->size(), 0U);
  EXPECT_FALSE(store->add_job(running_job()));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "none")) << "reading makes nothing";
}

TEST(SqliteStore, ForgetsTheOldestEndedJobsBeyondAThousand) {
  auto connection = open_empty();
  ASSERT_TRUE(connection) << connection.error().describe();
  const Job running = running_job();
  const auto added = (*connection)->change([&](SQLite::Database& database) -> Result<void> {
    COHORT_TRY(add_job(database, running));
    for (int number = 0; number < 1010; ++number) {
      Job ended = running_job();
      ended.id = JobId::generate();
      ended.state = JobState::kCompleted;
      ended.ended = WallTime{Microseconds{number}};
      ended.created = *ended.ended + std::chrono::minutes(6);  // as if it were longer ago than any has to stay
      COHORT_TRY(add_job(database, ended));
    }
    return {};
  });
  ASSERT_TRUE(added) << added.error().describe();
  const auto kept =
      (*connection)->read([](SQLite::Database& database) { return Result<std::vector<Job>>(read_jobs(database)); });
  ASSERT_EQ(kept->size(), 1001U);
  EXPECT_TRUE(std::ranges::any_of(*kept, [&](const Job& job) { return job.id == running.id; }));
  EXPECT_TRUE(std::ranges::none_of(*kept, [](const Job& job) { return job.ended == WallTime{Microseconds{9}}; }));
}

TEST(SqliteStore, ReadsWhatAWriterHasCommittedWhileItWorks) {
  const TemporaryFolder folder;
  const auto writer = open_or_fail(folder.path());
  const auto reader = open_or_fail(folder.path(), Access::kRead);
  ASSERT_TRUE(writer && reader);
  Job job = running_job();
  ASSERT_TRUE(writer->add_job(job));
  EXPECT_TRUE(reader->job(job.id));
  job.progress.done_bytes = 7;
  ASSERT_TRUE(writer->update_job(job));
  EXPECT_EQ(reader->job(job.id)->progress.done_bytes, 7U);
}

TEST(SqliteStore, StaysReadableThroughAReaderWhenTheWriterCloses) {
  const TemporaryFolder folder;
  auto writer = open_or_fail(folder.path());
  const auto reader = open_or_fail(folder.path(), Access::kRead);
  ASSERT_TRUE(writer && reader);
  const Job job = running_job();
  ASSERT_TRUE(writer->add_job(job));
  writer.reset();
  EXPECT_TRUE(reader->job(job.id));
  writer = open_or_fail(folder.path());
  ASSERT_NE(writer, nullptr);
  EXPECT_TRUE(writer->update_job(job));
}

TEST(SqliteStore, RefusesEveryChangeButCancelWhenOpenForReading) {
  const TemporaryFolder folder;
  const auto writer = open_or_fail(folder.path());
  const auto reader = open_or_fail(folder.path(), Access::kRead);
  ASSERT_TRUE(writer && reader);
  Collection collection;
  collection.id = CollectionId::generate();
  collection.name = "web";
  const Snapshot snapshot = snapshot_of_generation(SnapshotId::generate(), 1);
  const Job job = running_job();
  ASSERT_TRUE(writer->add_job(job));

  std::vector<Result<void>> outcomes{
      reader->add_collection(collection),
      reader->update_collection(collection),
      reader->remove_collection(collection.id),
      reader->add_snapshot(snapshot),
      reader->update_snapshot(snapshot),
      reader->remove_snapshot(snapshot.id),
      reader->move_frozen("/a", {"/b", "raw"}),
      reader->mark_merged("/a", true),
      reader->stamp_frozen("/a", std::nullopt),
      reader->add_job(job),
      reader->update_job(job),
      reader->finish_job(job),
      reader->remove_undo_step({}),
      reader->add_undo_step(job.id, UndoKind::kRemoveFile, "/x").map([](const UndoStep&) {}),
  };
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    ASSERT_FALSE(outcomes[i]) << i;
    EXPECT_EQ(outcomes[i].error().code, ErrorCode::kInvalidState) << i;
  }
  EXPECT_TRUE(reader->request_cancel(job.id));
  EXPECT_TRUE(*writer->is_cancel_requested(job.id));
}

TEST(SqliteStore, RefusesAnotherHypervisorAndNamesBoth) {
  const TemporaryFolder folder;
  ASSERT_NE(open_or_fail(folder.path()), nullptr);
  for (const Access access : {Access::kRead, Access::kWrite}) {
    const auto opened = open_sqlite_store(folder.path(), access, "qemu:///system");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(opened.error().message, HasSubstr(kUri));
    EXPECT_THAT(opened.error().message, HasSubstr("qemu:///system"));
  }
  EXPECT_NE(open_or_fail(folder.path()), nullptr) << "and keeps the lock no longer";
}

TEST(SqliteStore, SaysThatTheFolderCannotBeMade) {
  const TemporaryFolder folder;
  ASSERT_TRUE(create_file(folder.path() / "file", ""));
  EXPECT_FALSE(open_sqlite_store(folder.path() / "file" / "state", Access::kWrite, kUri));
  EXPECT_FALSE(open_sqlite_store(folder.path() / "file" / "state", Access::kRead, kUri));
}

// As another user, or as this one without the right to write.
int read_without_permission(const Path& state) {
  if (::geteuid() == 0 && ::setuid(65534) != 0) {
    return 77;
  }
  const auto opened = open_sqlite_store(state, Access::kRead, kUri);
  return !opened && opened.error().code == ErrorCode::kPermission &&
                 opened.error().message.find(state.string()) != std::string::npos
             ? 0
             : 1;
}

TEST(SqliteStore, SaysThatAReaderMayNotUseTheFile) {
  const TemporaryFolder folder;
  ASSERT_NE(open_or_fail(folder.path()), nullptr);
  ASSERT_EQ(::chmod((folder.path() / "cohort.db").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  EXPECT_EQ(Child([&] { return read_without_permission(folder.path()); }).wait(), 0) << "file is read-only";
  ASSERT_EQ(::chmod((folder.path() / "cohort.db").c_str(), 0666), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  EXPECT_EQ(Child([&] { return read_without_permission(folder.path()); }).wait(), 0) << "folder is read-only";
  ASSERT_EQ(::chmod(folder.path().c_str(), 0600), 0);
  EXPECT_EQ(Child([&] { return read_without_permission(folder.path()); }).wait(), 0) << "folder is closed";
  ASSERT_EQ(::chmod(folder.path().c_str(), 0700), 0);
}

}  // namespace
}  // namespace cohort::store
