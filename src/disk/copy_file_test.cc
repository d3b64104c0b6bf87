#include "disk/copy_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/sha256.h"
#include "base/temporary_folder.h"
#include "disk/buffer_pool.h"

namespace cohort::disk {
namespace {

class CopyFileTest : public ::testing::Test {
 protected:
  Result<CopiedImage> copy(const Path& source) { return copy_file({source, target_, {buffers_, limiter_}}, {}, {}); }
  [[nodiscard]] Path file(const std::string& content) const {
    Path path = folder_.path() / "source";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    return path;
  }

  TemporaryFolder folder_;
  Path target_ = folder_.path() / "target";
  BufferPool buffers_;
  RateLimiter limiter_{0};
};

TEST_F(CopyFileTest, CopiesEveryByteOfAFileOfAnyLength) {
  for (const std::size_t length : {0U, 1U, 511U, 513U, 4097U, 65536U, 65537U, 3000001U}) {
    SCOPED_TRACE(length);
    std::string content(length, '\0');
    for (std::size_t i = 0; i < length; i += 7) content[i] = static_cast<char>(i * 31 / 7 % 251);
    const auto copied = copy(file(content));
    ASSERT_TRUE(copied) << copied.error().describe();
    EXPECT_EQ(read_file(target_, length + 1).value(), content);
    EXPECT_EQ(copied->sha256, Sha256::of(content));
    EXPECT_EQ(copied->file_size, length);
    ASSERT_TRUE(remove_file(target_));
  }
}

TEST_F(CopyFileTest, LeavesHolesAndMeasuresWithoutThem) {
  const Path source = file("head");
  std::filesystem::resize_file(source, (64U << 20U) + 100);
  EXPECT_LE(measure_file(source).value(), 1U << 20U);
  const auto copied = copy(source);
  ASSERT_TRUE(copied) << copied.error().describe();
  EXPECT_EQ(std::filesystem::file_size(target_), (64U << 20U) + 100);
  EXPECT_LE(measure_file(target_).value(), 1U << 20U);
}

// The head of a qcow2 image whose backing file's name begins at 512: read as an image it would be followed.
TEST_F(CopyFileTest, FollowsNothingThatTheFileNames) {
  std::string image(65536 * 4, '\0');
  image.replace(0, 8, std::string("QFI\xfb\0\0\0\3", 8));
  image[14] = 2;
  image[19] = 7;
  image.replace(512, 7, "/secret");
  const auto copied = copy(file(image));
  ASSERT_TRUE(copied) << copied.error().describe();
  EXPECT_EQ(copied->sha256, Sha256::of(image));
}

TEST_F(CopyFileTest, RefusesWhatIsNoFile) {
  EXPECT_FALSE(copy("/dev/null"));
  EXPECT_EQ(copy(folder_.path() / "nothing").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(target_));
}

}  // namespace
}  // namespace cohort::disk
