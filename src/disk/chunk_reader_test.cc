// Reading pieces that lie all over a file, with io_uring and where the kernel refuses it.
#include "disk/chunk_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "disk/copy_image.h"
#include "disk/refuse_io_uring.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

enum class Kernel { kAsItIs, kWithoutIoUring };

class FragmentedCopyTest : public testing::TestWithParam<Kernel> {
 protected:
  // 64 clusters in the reverse of their order, none beside its neighbour on the disk; not in memory.
  FragmentedCopyTest() {
    qemu_img({"create", "-q", "-f", "qcow2", at("image"), "64M"});
    std::vector<std::string> writes;
    for (int i = 0; i < 64; ++i) writes.push_back(fmt::format("write -q -P {} {}k 64k", i + 1, (63 - i) * 512));
    qemu_io(at("image"), "qcow2", writes);
    const UniqueFd fd(::open(at("image").c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(::fsync(fd.get()), 0);
    EXPECT_EQ(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  }
  Path at(const std::string& name) { return folder_.path() / name; }

  void on_that_kernel(const std::function<void()>& work) {
    const std::jthread thread([&] {
      if (GetParam() == Kernel::kWithoutIoUring) {
        ASSERT_TRUE(refuse_io_uring());
        ASSERT_EQ(ReadRing::open(), nullptr);
      }
      work();
    });
  }
  void expect_copied(const CopyImageRequest& request) {
    on_that_kernel([&] {
      const auto copied = copy_image(request, {}, {});
      ASSERT_TRUE(copied) << copied.error().describe();
    });
    EXPECT_TRUE(are_identical(at("image"), "qcow2", request.target, request.target_format));
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
};

INSTANTIATE_TEST_SUITE_P(OnAKernel, FragmentedCopyTest, testing::Values(Kernel::kAsItIs, Kernel::kWithoutIoUring),
                         [](const auto& tested) {
                           return tested.param == Kernel::kAsItIs ? "AsItIs" : "WithoutIoUring";
                         });

TEST_P(FragmentedCopyTest, IsTheDisk) {
  for (const std::string format : {"qcow2", "raw"}) {
    expect_copied({at("image"), "qcow2", at("copy." + format), format, {buffers_, limiter_}});
  }
}

TEST_P(FragmentedCopyTest, IsTheDiskCompressed) {
  expect_copied({.source = at("image"),
                 .source_format = "qcow2",
                 .target = at("copy"),
                 .target_format = "qcow2",
                 .resources = {buffers_, limiter_},
                 .is_compressed = true});
}

TEST_P(FragmentedCopyTest, IsTheDiskNotHashed) {
  expect_copied({.source = at("image"),
                 .source_format = "qcow2",
                 .target = at("copy"),
                 .target_format = "qcow2",
                 .resources = {buffers_, limiter_},
                 .is_hashed = false});
}

TEST_P(FragmentedCopyTest, FailsWhereTheFileEndsEarly) {
  const auto chain = read_chain(at("image"), "qcow2");
  ASSERT_TRUE(chain);
  const auto source = open_disk(*chain);
  ASSERT_TRUE(source);
  const BlockMap map = BlockMap::of(**source, {}).value();
  ChunkPlan plan(map, (*source)->extents().value());
  const auto chunk = plan.next();
  ASSERT_TRUE(chunk && *chunk);
  std::filesystem::resize_file(at("image"), 1U << 20U);
  on_that_kernel([&] {
    DirectFiles files(**source);
    const auto buffer = buffers_.take({});
    const auto read = ChunkReader(**source, files).read(**chunk, buffer->bytes());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << read.error().describe();
  });
}

}  // namespace
}  // namespace cohort::disk
