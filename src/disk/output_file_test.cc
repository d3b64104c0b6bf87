#include "disk/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

class OutputFileTest : public testing::Test {
 protected:
  static constexpr std::size_t kPart = 3 * OutputFile::kPageBytes;

  Path at(const std::string& name) { return folder_.path() / name; }
  static std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

  TemporaryFolder folder_;
};

// Such places are not what write() is for: they make the file system refuse what goes past the page cache (EINVAL), as
// others may do with places that are aligned.
TEST_F(OutputFileTest, WritesThroughThePageCacheWhatTheFileSystemRefusesToWritePastIt) {
  constexpr std::size_t kOdd = 100;
  const auto output = OutputFile::create(at("file"), kOdd + 4 * kPart);
  ASSERT_TRUE(output) << output.error().describe();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const auto written =
            (*output)->write(kOdd + i * kPart, bytes_of(std::string(kPart, static_cast<char>('a' + i))));
        EXPECT_TRUE(written) << written.error().describe();
      });
    }
  }
  ASSERT_TRUE((*output)->sync());
  std::string expected(kOdd, '\0');
  for (const char letter : {'a', 'b', 'c', 'd'}) expected += std::string(kPart, letter);
  EXPECT_TRUE(content_of(at("file")) == expected);
}

TEST_F(OutputFileTest, SaysWhatElseIsRefused) {
  const auto output = OutputFile::create(at("file"), kPart);
  ASSERT_TRUE(output) << output.error().describe();
  const auto written = (*output)->write(std::uint64_t{1} << 62U, bytes_of(std::string(kPart, 'x')));
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find(at("file").native()), std::string::npos) << written.error().describe();
}

TEST_F(OutputFileTest, IsGoneUnlessItIsKept) {
  static_cast<void>(OutputFile::create(at("dropped"), kPart));
  EXPECT_FALSE(std::filesystem::exists(at("dropped")));
  (*OutputFile::create(at("kept"), kPart))->keep();
  EXPECT_EQ(std::filesystem::file_size(at("kept")), kPart);
}

}  // namespace
}  // namespace cohort::disk
