// Copies on file systems that can share what two files have in common.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "disk/copy_image.h"
#include "disk/shares_storage.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

class CloneTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const Path image = folder_.path() / "image";
    write_content(image, {});
    std::filesystem::resize_file(image, 512 * kMiB);
    run({std::string("/usr/sbin/mkfs.") + GetParam(), "-q", image});
    std::filesystem::create_directory(place_);
    const auto mounted = run_process({"mount", "-o", "loop", image, place_});
    if (!mounted || mounted->exit_status != 0)
      GTEST_SKIP() << "mounting " << GetParam() << " needs root and a loop device";
  }
  void TearDown() override { ::umount2(place_.c_str(), MNT_DETACH); }

  std::uint64_t free_after_sync() const {
    const UniqueFd fd = *open_readonly(place_);
    EXPECT_EQ(::syncfs(fd.get()), 0);
    struct statvfs info {};
    EXPECT_EQ(::statvfs(place_.c_str(), &info), 0);
    return info.f_bfree * info.f_frsize;
  }

  // The bytes of room that the copy took. It stays: what is removed may be freed later, while another one is measured.
  std::uint64_t copy(const Path& source, const std::string& source_format, const std::string& format,
                     bool is_hashed = true) {
    const Path target = place_ / fmt::format("copy{}.{}", copies_++, format);
    const std::uint64_t before = free_after_sync();
    CopyImageRequest request{source, source_format, target, format, {buffers_, limiter_}};
    request.is_hashed = is_hashed;
    const auto copied = copy_image(request, stop_.get_token(), {});
    EXPECT_TRUE(copied) << copied.error().describe();
    const std::uint64_t after = free_after_sync();
    if (!copied) return 0;
    EXPECT_EQ(copied->sha256, is_hashed ? sha256sum(target) : "");
    EXPECT_EQ(copied->content_hash.empty(), !is_hashed);
    EXPECT_TRUE(are_identical(source, source_format, target, format));
    if (format == "qcow2") qemu_img({"check", "-q", "-f", "qcow2", target});
    return before - std::min(after, before);
  }

  // 24 MiB of data, 8 MiB of stored zeros, an end that is no whole block.
  Path make_raw() {
    const Path path = place_ / "source.raw";
    std::string content(32 * kMiB + 5 * 4096, '\0');
    for (std::size_t i = 0; i < 24 * kMiB; ++i) content[i] = static_cast<char>(i / 4096 * 7 + i % 251);
    content.back() = 'e';
    write_content(path, content);
    return path;
  }

  TemporaryFolder folder_;
  Path place_ = folder_.path() / "place";
  BufferPool buffers_;
  RateLimiter limiter_;
  std::stop_source stop_;
  int copies_ = 0;
};

TEST_P(CloneTest, SharesARawDiskWithItsCopies) {
  const Path raw = make_raw();
  EXPECT_LT(copy(raw, "raw", "raw"), 2 * kMiB);
  EXPECT_LT(copy(raw, "raw", "qcow2"), 2 * kMiB);
}

TEST_P(CloneTest, SharesTheClustersOfAQcow2DiskInWhicheverOrderTheyAre) {
  const Path image = place_ / "source.qcow2";
  qemu_img({"create", "-q", "-f", "qcow2", image, "64M"});
  std::vector<std::string> writes;  // of 64 KiB, the last one first
  for (int i = 127; i >= 0; --i) writes.push_back(fmt::format("write -q -P {} {}k 64k", i + 1, i * 192));
  qemu_io(image, "qcow2", writes);
  EXPECT_LT(copy(image, "qcow2", "qcow2"), 2 * kMiB);
  EXPECT_LT(copy(image, "qcow2", "raw"), 2 * kMiB);
}

TEST_P(CloneTest, CopiesWhatCannotBeShared) {
  const Path image = place_ / "small.qcow2";  // clusters that are smaller than what is shared
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "cluster_size=512", image, "8M"});
  qemu_io(image, "qcow2", {"write -q -P 3 1M 2M", "write -q -P 4 512 1024"});
  EXPECT_GT(copy(image, "qcow2", "raw"), kMiB);
  const Path elsewhere = folder_.path() / "elsewhere";
  write_content(elsewhere, std::string(3 * kMiB, 'x'));
  EXPECT_GT(copy(elsewhere, "raw", "qcow2"), 2 * kMiB);
}

TEST_P(CloneTest, SharesWithoutReadingWhenNothingIsHashed) {
  const Path raw = make_raw();
  // What is no whole block at the end is read, and nobody who comes after that at this rate.
  limiter_.set_rate(1);
  const std::jthread patience([this](const std::stop_token& is_done) {
    for (int i = 0; i < 300 && !is_done.stop_requested(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop_.request_stop();
  });
  EXPECT_LT(copy(raw, "raw", "raw", false), 2 * kMiB);
}

TEST_P(CloneTest, TellsWhatCanBeShared) {
  const Path raw = make_raw();
  EXPECT_TRUE(shares_storage(raw, "raw", place_));
  EXPECT_FALSE(shares_storage(raw, "raw", folder_.path()));
  const Path elsewhere = folder_.path() / "elsewhere";
  write_content(elsewhere, std::string(3 * kMiB, 'x'));
  const Path image = place_ / "on another.qcow2";
  qemu_img({"create", "-q", "-f", "qcow2", "-F", "raw", "-b", elsewhere, image});
  EXPECT_FALSE(shares_storage(image, "qcow2", place_));
  const Path foreign = place_ / "foreign.vmdk";
  qemu_img({"convert", "-f", "raw", "-O", "vmdk", raw, foreign});
  EXPECT_FALSE(shares_storage(foreign, "vmdk", place_));
  const Path beside = place_ / "data beside.qcow2";
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=" + (place_ / "data").native(), beside, "8M"});
  EXPECT_FALSE(shares_storage(beside, "qcow2", place_));
}

TEST_P(CloneTest, CopiesWithoutHashesWhatCannotBeShared) {
  const Path image = place_ / "mixed.qcow2";
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "cluster_size=4096", image, "64M"});
  qemu_io(image, "qcow2",
          {"write -q -P 3 1M 9M", "write -q -c -P 4 20M 64k", "write -q -z 3M 1M", "write -q -P 5 63M 4k"});
  copy(image, "qcow2", "raw", false);
  copy(image, "qcow2", "qcow2", false);
  const Path elsewhere = folder_.path() / "elsewhere";
  write_content(elsewhere, std::string(3 * kMiB + 512, 'x'));
  EXPECT_GT(copy(elsewhere, "raw", "qcow2", false), 2 * kMiB);
}

INSTANTIATE_TEST_SUITE_P(FileSystems, CloneTest, testing::Values("xfs", "btrfs"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace cohort::disk
