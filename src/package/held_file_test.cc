#include "package/held_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "base/temporary_folder.h"

namespace cohort::package {
namespace {

using testing::HasSubstr;

class HeldFileTest : public testing::Test {
 protected:
  HeldFileTest() { EXPECT_TRUE(create_file(image(), "content")); }

  [[nodiscard]] Path image() const { return folder_.path() / "disk.raw"; }

  // The clock of the file system goes in steps.
  static void let_time_pass() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

  void expect_noticed(ErrorCode code, const std::function<void()>& change) {
    const auto held = HeldFile::open(package_, disk_);
    ASSERT_TRUE(held) << held.error().describe();
    EXPECT_TRUE(held->check_unchanged(package_));
    let_time_pass();
    change();
    const auto checked = held->check_unchanged(package_);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, code);
    EXPECT_THAT(checked.error().message, HasSubstr("disk.raw"));
  }

  TemporaryFolder folder_;
  PackageFolder package_ = PackageFolder::open(folder_.path()).value();
  DiskEntry disk_{"vda", "raw", 7, {"disk.raw", 7, ""}, ""};
};

TEST_F(HeldFileTest, NoticesThatTheFileWasWrittenTo) {
  expect_noticed(ErrorCode::kCorrupt, [&] {
    std::filesystem::remove(image());
    ASSERT_TRUE(create_file(image(), "CONTENT"));
  });
}

// Not to be told from a change of its mode: it is refused, whatever it is called.
TEST_F(HeldFileTest, NoticesAWriteWhoseTimeWasSetBack) {
  expect_noticed(ErrorCode::kInUse, [&] {
    struct stat before {};
    ASSERT_EQ(::stat(image().c_str(), &before), 0);
    std::filesystem::resize_file(image(), 6);
    std::filesystem::resize_file(image(), 7);
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, image().c_str(), times, 0), 0);
  });
}

TEST_F(HeldFileTest, NoticesThatTheFileHasGrown) {
  expect_noticed(ErrorCode::kCorrupt, [&] { std::filesystem::resize_file(image(), 8); });
}

// A rotation of backups makes such links. The content is the one that was verified.
TEST_F(HeldFileTest, TakesALinkToTheFileForNoDamage) {
  expect_noticed(ErrorCode::kInUse, [&] { std::filesystem::create_hard_link(image(), folder_.path() / "link.raw"); });
}

TEST_F(HeldFileTest, TakesAnotherModeForNoDamage) {
  expect_noticed(ErrorCode::kInUse, [&] { ASSERT_EQ(::chmod(image().c_str(), 0640), 0); });
}

TEST_F(HeldFileTest, FailsWhenTheFileIsGone) {
  const auto held = HeldFile::open(package_, disk_);
  ASSERT_TRUE(held);
  std::filesystem::remove(image());
  EXPECT_EQ(held->check_unchanged(package_).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cohort::package
