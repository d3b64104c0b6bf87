#include "store/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_folder.h"
#include "store/testing.h"

namespace cohort::store {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kLimit = 64UL << 20U;

const std::vector<Migration> kOldSteps{
    {1, "CREATE TABLE setting (name TEXT, value TEXT); CREATE TABLE machine (name TEXT)"}};

std::vector<Migration> steps_with(const char* second) {
  std::vector<Migration> steps = kOldSteps;
  steps.push_back({2, second});
  return steps;
}

// A state with something in it, closed.
class DamagedState : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto store = open_or_fail(state());
    ASSERT_NE(store, nullptr);
    ASSERT_TRUE(store->add_snapshot(snapshot_of_generation(SnapshotId::generate(), 1)));
    ASSERT_TRUE(store->add_job(running_job()));
  }

  [[nodiscard]] const Path& state() const { return folder_.path(); }
  [[nodiscard]] Path file() const { return state() / "cohort.db"; }
  [[nodiscard]] std::string bytes() const { return read_file(file(), kLimit).value_or("unreadable"); }
  void replace(const std::string& content) const {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << content;
  }
  void run_sql(const char* sql) const { SQLite::Database(file().native(), SQLite::OPEN_READWRITE).exec(sql); }

  // It is reported with a remedy, and stays as it is.
  void expect_reported(Access access, const std::string& how) const {
    const std::string before = bytes();
    const auto opened = open_sqlite_store(state(), access, kUri);
    ASSERT_FALSE(opened) << how;
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << how << ": " << opened.error().describe();
    EXPECT_THAT(opened.error().message, HasSubstr(file().string())) << how;
    EXPECT_THAT(opened.error().message, HasSubstr("backup")) << how;
    EXPECT_TRUE(bytes() == before) << how << ": the file was changed";
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(DamagedState, IsReportedWhenTheFileIsEmpty) {
  replace("");
  expect_reported(Access::kWrite, "writing");
  expect_reported(Access::kRead, "reading");
}

TEST_F(DamagedState, IsReportedWhereverTheFileIsCut) {
  const std::string whole = bytes();
  ASSERT_GT(whole.size(), 8 * kPage);
  for (const std::uint64_t left : {1UL, 50UL, 100UL, 511UL, 512UL, kPage - 1, kPage, 3 * kPage, whole.size() / 2,
                                   whole.size() - kPage, whole.size() - 1}) {
    replace(whole.substr(0, left));
    expect_reported(Access::kWrite, fmt::format("cut to {} of {}", left, whole.size()));
  }
}

TEST_F(DamagedState, IsReportedWhicheverPageIsOverwritten) {
  const std::string whole = bytes();
  for (std::uint64_t page = 0; page < whole.size() / kPage; ++page) {
    std::string damaged = whole;
    damaged.replace(page * kPage, kPage, kPage, '\xa5');
    replace(damaged);
    expect_reported(Access::kWrite, fmt::format("page {}", page));
  }
}

TEST_F(DamagedState, IsReportedWhenTheFileIsSomethingElse) {
  replace("This is a text.\n" + std::string(10'000, 'x'));
  expect_reported(Access::kWrite, "text, writing");
  expect_reported(Access::kRead, "text, reading");
  std::filesystem::remove(file());
  SQLite::Database(file().native(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE x (y); PRAGMA user_version = 1");
  expect_reported(Access::kWrite, "foreign database, writing");
  expect_reported(Access::kRead, "foreign database, reading");
}

TEST_F(DamagedState, IsReportedWhenOnlyTheLogIsLeft) {
  std::filesystem::remove(file());
  std::ofstream(state() / "cohort.db-wal") << "frames";
  const auto opened = open_sqlite_store(state(), Access::kWrite, kUri);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(DamagedState, IsReportedByTheCallThatMeetsAnImpossibleValue) {
  run_sql("UPDATE job SET state = 'asleep'");
  const auto store = open_or_fail(state());
  ASSERT_NE(store, nullptr);
  const auto jobs = store->jobs();
  ASSERT_FALSE(jobs);
  EXPECT_EQ(jobs.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(jobs.error().cause, HasSubstr("asleep"));
  EXPECT_TRUE(store->snapshots()) << "the rest can be read";
}

TEST_F(DamagedState, IsNotWhatANewerSchemaIs) {
  run_sql("PRAGMA user_version = 99");
  const std::string before = bytes();
  for (const Access access : {Access::kRead, Access::kWrite}) {
    const auto opened = open_sqlite_store(state(), access, kUri);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(opened.error().message, HasSubstr("newer version"));
    EXPECT_THAT(opened.error().message, HasSubstr("99"));
  }
  EXPECT_TRUE(bytes() == before);
}

TEST(Migrations, AreNumberedWithoutGaps) {
  ASSERT_FALSE(migrations().empty());
  for (std::size_t i = 0; i < migrations().size(); ++i) {
    EXPECT_EQ(migrations()[i].version, static_cast<int>(i) + 1);
  }
}

TEST(Migrations, BringAnOldFileUpToDateAndKeepWhatIsInIt) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "cohort.db";
  ASSERT_TRUE(create_database(path, kUri, kOldSteps));
  (*open_database(path, Access::kWrite, kUri, kOldSteps))->database().exec("INSERT INTO machine VALUES ('ö')");

  const auto steps = steps_with("ALTER TABLE machine ADD COLUMN size INTEGER NOT NULL DEFAULT 5");
  const auto reader = open_database(path, Access::kRead, kUri, steps);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kInvalidState) << "a reader changes nothing";
  const auto opened = open_database(path, Access::kWrite, kUri, steps);
  ASSERT_TRUE(opened);
  EXPECT_EQ(schema_version((*opened)->database()), 2);
  EXPECT_EQ((*opened)->database().execAndGet("SELECT name || size FROM machine").getString(), "ö5");
  EXPECT_TRUE(open_database(path, Access::kRead, kUri, steps));
}

// A file as the program with the first schema alone has left it.
TEST(Migrations, KeepTheSnapshotsOfTheFirstSchema) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "cohort.db";
  ASSERT_TRUE(create_database(path, kUri, {migrations().front()}));
  const Snapshot snapshot = snapshot_of_generation(SnapshotId::generate(), 1);
  (*open_database(path, Access::kWrite, kUri, {migrations().front()}))
      ->database()
      .exec("INSERT INTO snapshot VALUES ('" + snapshot.id.str() + "', 's', '" + CollectionId::generate().str() +
            "', 'c', 'ready', 1, 2000, 3, NULL, NULL);"
            "INSERT INTO snapshot_member SELECT id, 0, id, 'm', 'off', '<domain/>', NULL, NULL, 0, 0 FROM snapshot;"
            "INSERT INTO snapshot_disk SELECT id, 0, 0, 'vda', '/x/frozen', 'raw', '/x/overlay', 7 FROM snapshot");
  const auto store = open_or_fail(folder.path());
  ASSERT_NE(store, nullptr);
  const auto kept = store->snapshot(snapshot.id);
  ASSERT_TRUE(kept) << kept.error().describe();
  ASSERT_EQ(kept->members.size(), 1U);
  ASSERT_EQ(kept->members[0].disks.size(), 1U);
  EXPECT_EQ(kept->members[0].disks[0].virtual_size, 7U);
  EXPECT_FALSE(kept->members[0].disks[0].merged);
  EXPECT_FALSE(kept->members[0].disks[0].stamp);
  EXPECT_EQ(kept->asked, ConsistencyWish::kCrash);
  EXPECT_EQ(kept->kept_for, "");
  EXPECT_EQ(kept->kind, SnapshotKind::kRecovery);
  EXPECT_TRUE(kept->reference_point.is_nil());
  EXPECT_TRUE(kept->members[0].disks[0].id.is_nil());
  EXPECT_EQ(kept->members[0].consistency.level, Consistency::kOff);
  EXPECT_FALSE(kept->members[0].consistency.may_be_frozen);
}

TEST(Migrations, LeaveTheFileAsItWasWhenOneFails) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "cohort.db";
  ASSERT_TRUE(create_database(path, kUri, kOldSteps));
  EXPECT_FALSE(open_database(path, Access::kWrite, kUri, steps_with("DROP TABLE machine; this is no SQL")));
  const auto opened = open_database(path, Access::kWrite, kUri, kOldSteps);
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_EQ((*opened)->database().execAndGet("SELECT count(*) FROM machine").getInt(), 0);
}

TEST(Durability, IsWhatTheOpenedFileIsSetTo) {
  const TemporaryFolder folder;
  const Path path = folder.path() / "cohort.db";
  ASSERT_TRUE(create_database(path, kUri));
  for (const Access access : {Access::kWrite, Access::kRead}) {
    const auto opened = open_database(path, access, kUri);
    ASSERT_TRUE(opened);
    SQLite::Database& database = (*opened)->database();
    EXPECT_EQ(database.execAndGet("PRAGMA journal_mode").getString(), "wal");
    EXPECT_EQ(database.execAndGet("PRAGMA synchronous").getInt(), 2) << "FULL";
    EXPECT_EQ(database.execAndGet("PRAGMA foreign_keys").getInt(), 1);
    EXPECT_EQ(database.execAndGet("PRAGMA busy_timeout").getInt(), 5000);
  }
}

}  // namespace
}  // namespace cohort::store
