#include "disk/direct_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "disk/buffer_pool.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

bool is_direct(int fd) { return (::fcntl(fd, F_GETFL) & O_DIRECT) != 0; }

class DirectFilesTest : public testing::Test {
 protected:
  static constexpr std::size_t kSize = 1U << 20U;

  void SetUp() override {
    const Path image = folder_.path() / "image";
    write_content(image, std::string(kSize, 'x'));
    const UniqueFd fd(::open(image.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
    if (!fd.is_open()) GTEST_SKIP() << "the file system has no O_DIRECT";
    ASSERT_EQ(::fsync(fd.get()), 0);
    ASSERT_EQ(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
    const auto chain = read_chain(image, "raw");
    ASSERT_TRUE(chain);
    auto source = open_disk(*chain);
    ASSERT_TRUE(source);
    source_ = *std::move(source);
    files_.emplace(*source_);
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
  std::optional<BufferPool::Buffer> buffer_ = buffers_.take({});
  std::unique_ptr<DiskSource> source_;
  std::optional<DirectFiles> files_;
};

TEST_F(DirectFilesTest, ReadsWhatIsNotInMemoryFromTheStorageAndLeavesItSo) {
  const auto into = buffer_->bytes().first(kSize);
  const int fd = files_->best_for(0, 0, into);
  EXPECT_TRUE(is_direct(fd));
  ASSERT_EQ(::pread(fd, into.data(), into.size(), 0), static_cast<ssize_t>(kSize));
  EXPECT_EQ(into.back(), std::byte{'x'});
  EXPECT_TRUE(is_direct(files_->best_for(0, 0, into)));
}

TEST_F(DirectFilesTest, ReadsWhatIsInMemoryFromThere) {
  const auto first = buffer_->bytes().first(kSize / 2);
  ASSERT_EQ(::pread(source_->descriptor(0), first.data(), first.size(), 0), static_cast<ssize_t>(first.size()));
  EXPECT_EQ(files_->best_for(0, 0, first), source_->descriptor(0));
  EXPECT_TRUE(is_direct(files_->best_for(0, kSize / 2, first)));
}

TEST_F(DirectFilesTest, LeavesToThePageCacheWhatIsNotAligned) {
  const auto into = buffer_->bytes().first(8192);
  EXPECT_TRUE(is_direct(files_->best_for(0, 4096, into)));
  EXPECT_FALSE(is_direct(files_->best_for(0, 512, into)));
  EXPECT_FALSE(is_direct(files_->best_for(0, 4096, into.subspan(512, 4096))));
  EXPECT_FALSE(is_direct(files_->best_for(0, 4096, into.first(4608))));
}

}  // namespace
}  // namespace cohort::disk
