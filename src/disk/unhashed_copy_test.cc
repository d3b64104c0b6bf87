#include "disk/unhashed_copy.h"

#include <gmock/gmock.h>
#include <sys/mount.h>

#include "disk/fake_source.h"
#include "disk/random_images.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

class UnhashedCopyTest : public testing::Test {
 protected:
  UnhashedCopyTest() { source_.store(0, std::string(24 * kMiB, 'x')).store(26 * kMiB + 512, "y"); }
  Path at(const std::string& name) { return folder_.path() / name; }

  Result<CopiedImage> copy(const Path& target, const std::string& format, const std::stop_token& stop = {}) {
    return copy_unhashed({source_, target, format, {buffers_, limiter_}}, stop,
                         [&](std::uint64_t done) { seen_.push_back(done); });
  }
  // Fails, and nothing is left.
  void expect_failure(ErrorCode code, const Path& target, const std::stop_token& stop = {}) {
    for (const std::string format : {"qcow2", "raw"}) {
      const auto copied = copy(target, format, stop);
      EXPECT_EQ(copied ? ErrorCode::kInternal : copied.error().code, code);
      EXPECT_FALSE(std::filesystem::exists(target));
    }
  }

  FakeSource source_{30 * kMiB + 512};
  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
  std::vector<std::uint64_t> seen_;
};

TEST_F(UnhashedCopyTest, CopiesAndTellsItsProgress) {
  write_content(at("expected"), source_.content());
  for (const std::string format : {"qcow2", "raw"}) {
    seen_.clear();
    const auto copied = copy(at("copy." + format), format);
    ASSERT_TRUE(copied) << copied.error().describe();
    EXPECT_EQ(copied->sha256 + copied->content_hash, "");
    EXPECT_EQ(copied->file_size, std::filesystem::file_size(at("copy." + format)));
    EXPECT_TRUE(are_identical(at("expected"), "raw", at("copy." + format), format));
    if (format == "qcow2") expect_sound(at("copy.qcow2"));
    EXPECT_TRUE(std::ranges::is_sorted(seen_));
    EXPECT_EQ(seen_.back(), plan_copy(source_, format)->stored_bytes);
  }
}

TEST_F(UnhashedCopyTest, StopsInTheMiddle) {
  std::stop_source stop;
  source_.on_read = [&](std::uint64_t offset) -> Result<void> {
    if (offset >= 12 * kMiB) stop.request_stop();
    return {};
  };
  const auto copied = copy(at("copy"), "qcow2", stop.get_token());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

TEST_F(UnhashedCopyTest, StopsWhileItWaitsForTheRateLimit) {
  limiter_.set_rate(1);
  std::stop_source stop;
  source_.on_read = [&](std::uint64_t) -> Result<void> {
    stop.request_stop();  // the others wait for hours
    return {};
  };
  expect_failure(ErrorCode::kCancelled, at("copy"), stop.get_token());
}

TEST_F(UnhashedCopyTest, PassesOnWhatTheSourceFailsWith) {
  source_.on_read = [](std::uint64_t offset) -> Result<void> {
    if (offset < 20 * kMiB) return {};
    return fail(ErrorCode::kCorrupt, "It ends early.");
  };
  expect_failure(ErrorCode::kCorrupt, at("copy"));
}

TEST_F(UnhashedCopyTest, SaysThatTheTargetIsFullAndLeavesNothing) {
  std::filesystem::create_directory(at("small"));
  if (::mount("none", at("small").c_str(), "tmpfs", 0, "size=2m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs needs root and CAP_SYS_ADMIN";
  }
  expect_failure(ErrorCode::kNoSpace, at("small/copy"));
  ::umount(at("small").c_str());
}

}  // namespace
}  // namespace cohort::disk
