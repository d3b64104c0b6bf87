#include "store/state_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/process.h"
#include "base/temporary_folder.h"
#include "store/testing.h"

namespace cohort::store {
namespace {

using ::testing::HasSubstr;

// Holds the store in `state` until it is killed; `held` becomes 1 when it does.
int hold(const Path& state, const SharedNumber& held) {
  const auto store = open_or_exit(state, Access::kWrite);
  *held = 1;
  std::this_thread::sleep_for(kPatience);
  return 0;
}

TEST(StateLock, NamesTheProcessThatHoldsItAndItsCommand) {
  const TemporaryFolder folder;
  const SharedNumber held;
  Child child([&] { return hold(folder.path(), held); });
  ASSERT_TRUE(held.reaches(1));
  const auto opened = open_sqlite_store(folder.path(), Access::kWrite, kUri);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInUse);
  EXPECT_THAT(opened.error().message, HasSubstr("process " + std::to_string(child.pid()) + " ("));
  EXPECT_THAT(opened.error().message, HasSubstr("cohort_store_test"));
  EXPECT_THAT(opened.error().message, HasSubstr(folder.path().string()));
}

TEST(StateLock, IsFreeAgainWhenItsHolderIsKilled) {
  const TemporaryFolder folder;
  const SharedNumber held;
  Child child([&] { return hold(folder.path(), held); });
  ASSERT_TRUE(held.reaches(1));
  child.kill();
  EXPECT_NE(open_or_fail(folder.path()), nullptr);
}

TEST(StateLock, IsFreeAgainWhenTheStoreIsClosed) {
  const TemporaryFolder folder;
  ASSERT_NE(open_or_fail(folder.path()), nullptr);
  EXPECT_EQ(*read_file(folder.path() / "lock", 100), "");
  EXPECT_NE(open_or_fail(folder.path()), nullptr);
}

TEST(StateLock, ExcludesTheSameProcessToo) {
  const TemporaryFolder folder;
  const auto first = StateLock::acquire(folder.path());
  ASSERT_TRUE(first);
  const auto second = StateLock::acquire(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
}

TEST(StateLock, IsNotKeptByProgramsThatItsHolderStarted) {
  const TemporaryFolder folder;
  auto lock = std::make_unique<Result<StateLock>>(StateLock::acquire(folder.path()));
  ASSERT_TRUE(*lock);
  std::stop_source stop;
  const std::jthread sleeper([&] { (void)run_process({"sleep", "60"}, stop.get_token()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  lock.reset();
  EXPECT_TRUE(StateLock::acquire(folder.path()));
  stop.request_stop();
}

TEST(StateLock, IsNotHeldByThePidThatADeadProcessLeft) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "lock") << "1\ninit\n";
  EXPECT_TRUE(StateLock::acquire(folder.path()));
}

TEST(StateLock, SaysThatAProcessHoldsItWhoseNameCannotBeRead) {
  const TemporaryFolder folder;
  const auto lock = StateLock::acquire(folder.path());
  ASSERT_TRUE(lock);
  std::ofstream(folder.path() / "lock", std::ios::trunc) << "rubbish";
  const auto second = StateLock::acquire(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kInUse);
  EXPECT_THAT(second.error().message, HasSubstr("another process"));
}

}  // namespace
}  // namespace cohort::store
