#include "disk/copy_images.h"

#include <gmock/gmock.h>

#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using ::testing::Contains;

class CopyImagesTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  // With content of its own.
  void add(const std::string& name, int pattern, const std::string& length) {
    qemu_img({"create", "-q", "-f", "qcow2", at(name), "64M"});
    qemu_io(at(name), "qcow2", {fmt::format("write -q -P {} 0 {}", pattern, length)});
    images_.push_back({{at(name), "qcow2", at(name + ".copy"), "qcow2", {buffers_, limiter_}}, "copying " + name});
  }

  std::uint64_t measured() {
    std::uint64_t sum = 0;
    for (const auto& image : images_) sum += measure_copy(image.request.source, "qcow2", "qcow2").value();
    return sum;
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
  std::vector<ImageToCopy> images_;
};

TEST_F(CopyImagesTest, CopiesMoreThanAreCopiedAtOnceAndTellsOfThemInTheirOrder) {
  for (int i = 0; i < 11; ++i) add(fmt::format("image{}", i), i + 1, fmt::format("{}k", 64 * (i + 1)));
  std::vector<std::uint64_t> seen;
  const auto copied = copy_images(images_, {}, [&](std::uint64_t done) { seen.push_back(done); });
  ASSERT_TRUE(copied) << copied.error().describe();
  ASSERT_EQ(copied->size(), images_.size());
  for (std::size_t i = 0; i < images_.size(); ++i) {
    const auto& target = images_[i].request.target;
    EXPECT_TRUE(are_identical(target, "qcow2", images_[i].request.source, "qcow2"));
    expect_sound(target);
    EXPECT_EQ((*copied)[i].sha256, sha256sum(target));
  }
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.back(), measured());
}

TEST_F(CopyImagesTest, NamesTheOneThatFailsAndLeavesNone) {
  add("small", 1, "64k");
  add("broken", 2, "8M");
  add("large", 3, "32M");
  std::filesystem::resize_file(at("broken"), 1U << 20U);
  limiter_.set_rate(8U << 20U);
  std::uint64_t last = 0;
  const auto copied = copy_images(images_, {}, [&](std::uint64_t done) { last = done; });
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt) << copied.error().describe();
  EXPECT_THAT(copied.error().context, Contains("copying broken"));
  EXPECT_LT(last, std::uint64_t{32} << 20U) << "the others were not stopped";
  for (const auto& image : images_) EXPECT_FALSE(std::filesystem::exists(image.request.target)) << image.context;
}

TEST_F(CopyImagesTest, TakesBackWhatIsCopiedWhenItIsCancelled) {
  add("small", 1, "64k");
  add("large", 2, "32M");
  limiter_.set_rate(1U << 20U);
  std::stop_source stop;
  const auto copied = copy_images(images_, stop.get_token(), [&](std::uint64_t done) {
    if (std::filesystem::exists(at("small.copy")) && done > (1U << 20U)) stop.request_stop();
  });
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  for (const auto& image : images_) EXPECT_FALSE(std::filesystem::exists(image.request.target)) << image.context;
}

TEST_F(CopyImagesTest, HoldsOneRateForAll) {
  for (int i = 0; i < 4; ++i) add(fmt::format("image{}", i), i + 1, "2M");
  limiter_.set_rate(4U << 20U);
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(copy_images(images_, {}, {}));
  // 8 MiB, of which the limiter gives away some at the beginning.
  EXPECT_GT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(900));
}

TEST_F(CopyImagesTest, CopiesNothingIfThereIsNothing) {
  const auto copied = copy_images({}, {}, {});
  ASSERT_TRUE(copied);
  EXPECT_TRUE(copied->empty());
}

}  // namespace
}  // namespace cohort::disk
