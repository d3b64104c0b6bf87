#include "base/file_stamp.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/temporary_folder.h"

namespace cohort {
namespace {

class FileStampTest : public ::testing::Test {
 protected:
  FileStampTest() {
    EXPECT_TRUE(create_file(path, "content"));
    before = now();
  }
  [[nodiscard]] FileStamp now() const { return stamp_of(path).value_or(FileStamp()); }

  TemporaryFolder folder;
  Path path = folder.path() / "file";
  FileStamp before;
};

TEST_F(FileStampTest, StaysWhileTheFileIsOnlyReadOrGivenAway) {
  EXPECT_TRUE(read_file(path, 100));
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(now(), before);
}

TEST_F(FileStampTest, ChangesWithEveryWriteEvenOfTheSameBytes) {
  // The kernel's clock for files has ticks of some milliseconds.
  ::timespec old[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), old, 0), 0);
  before = now();
  std::fstream(path) << "c";
  EXPECT_NE(now(), before);
  EXPECT_EQ(now().size, before.size);
}

TEST_F(FileStampTest, ChangesWhenTheFileIsReplaced) {
  ASSERT_TRUE(create_file(folder.path() / "other", "content"));
  std::filesystem::rename(folder.path() / "other", path);
  EXPECT_NE(now().inode, before.inode);
}

TEST_F(FileStampTest, OfNoFileIsNone) {
  EXPECT_EQ(stamp_of(folder.path() / "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cohort
