#include "base/file.h"

#include <gtest/gtest.h>

#include "base/temporary_folder.h"

namespace cohort {
namespace {

class FileTest : public testing::Test {
 protected:
  [[nodiscard]] Path in(const char* name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

TEST_F(FileTest, CreatedFileIsReadBack) {
  ASSERT_TRUE(create_file(in("a ä"), "content"));
  EXPECT_EQ(read_file(in("a ä"), 100).value(), "content");
  EXPECT_EQ(size_of_file(in("a ä")).value(), 7U);
}

TEST_F(FileTest, CreateDoesNotReplace) {
  ASSERT_TRUE(create_file(in("a"), "first"));
  EXPECT_EQ(create_file(in("a"), "second").error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(read_file(in("a"), 100).value(), "first");
}

TEST_F(FileTest, ReadingIsBounded) {
  ASSERT_TRUE(create_file(in("a"), "12345678"));
  EXPECT_EQ(read_file(in("a"), 7).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(read_file(in("b"), 7).error().code, ErrorCode::kNotFound);
}

TEST_F(FileTest, DirectoriesAreMadeWithTheirParentsAndRemovedWhole) {
  ASSERT_TRUE(make_directories(in("x/y/z")));
  ASSERT_TRUE(make_directories(in("x/y/z")));
  ASSERT_TRUE(create_file(in("x/y/z/f"), ""));
  ASSERT_TRUE(sync_directory(in("x/y")));
  ASSERT_TRUE(remove_tree(in("x")));
  ASSERT_TRUE(remove_tree(in("x")));
  EXPECT_FALSE(std::filesystem::exists(in("x")));
}

TEST_F(FileTest, RemoveTreeDoesNotFollowLinks) {
  ASSERT_TRUE(make_directories(in("keep")));
  ASSERT_TRUE(create_file(in("keep/f"), ""));
  ASSERT_TRUE(make_directories(in("x")));
  std::filesystem::create_directory_symlink(in("keep"), in("x/link"));
  ASSERT_TRUE(remove_tree(in("x")));
  EXPECT_TRUE(std::filesystem::exists(in("keep/f")));
}

TEST_F(FileTest, FileInTheWayOfAFolderIsNamed) {
  ASSERT_TRUE(create_file(in("a"), ""));
  const auto made = make_directories(in("a"));
  EXPECT_EQ(made.error().code, ErrorCode::kAlreadyExists);
  EXPECT_NE(made.error().message.find("/a\""), std::string::npos);
}

TEST_F(FileTest, FreeSpaceOfAPlaceThatDoesNotExistYet) { EXPECT_GT(free_bytes(in("not/yet/there")).value(), 0U); }

TEST_F(FileTest, RemovingNothingIsFine) { EXPECT_TRUE(remove_file(in("nothing"))); }

}  // namespace
}  // namespace cohort
