#include "disk/compressed_copy.h"

#include <gmock/gmock.h>
#include <sys/mount.h>

#include <chrono>
#include <utility>

#include "disk/changed_ranges.h"
#include "disk/content_hash.h"
#include "disk/fake_source.h"
#include "disk/packed_image.h"
#include "disk/random_images.h"

namespace cohort::disk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1U << 20U;

std::unique_ptr<RangeCursor> whole_range(std::uint64_t offset, std::uint64_t length) {
  class One : public RangeCursor {
   public:
    explicit One(Range range) : range_(range) {}
    Result<std::optional<Range>> next() override { return std::exchange(range_, std::nullopt); }

   private:
    std::optional<Range> range_;
  };
  return std::make_unique<One>(Range{offset, length});
}

class CompressedCopyTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  CopyRequest request(const DiskSource& source) { return {source, at("copy"), "qcow2", {buffers_, limiter_}, true}; }

  void expect_sound(const Result<CopiedImage>& copied, const DiskSource& source) {
    ASSERT_TRUE(copied) << copied.error().describe();
    EXPECT_EQ(copied->virtual_size, source.virtual_size());
    EXPECT_EQ(copied->file_size, std::filesystem::file_size(at("copy")));
    EXPECT_EQ(copied->sha256, sha256sum(at("copy")));
    qemu_img({"check", "-q", "-f", "qcow2", at("copy")});
  }

  void expect_copied(const DiskSource& source) {
    std::filesystem::remove(at("copy"));
    std::filesystem::remove(at("plain"));
    const auto copied = copy_compressed(request(source), {}, {});
    expect_sound(copied, source);
    const auto plain = copy_disk({source, at("plain"), "raw", {buffers_, limiter_}, true}, {}, {});
    ASSERT_TRUE(plain && copied);
    EXPECT_EQ(copied->content_hash, plain->content_hash);
    EXPECT_TRUE(are_identical(at("plain"), "raw", at("copy"), "qcow2"));
  }

  // Reads what was written with the program's own reader, too.
  std::string content_hash_of_copy() {
    const auto source = open_disk(read_chain(at("copy"), "qcow2").value()).value();
    std::filesystem::remove(at("again"));
    return copy_disk({*source, at("again"), "raw", {buffers_, limiter_}, true}, {}, {}).value().content_hash;
  }

  static std::string noise(std::size_t size) {
    RandomNumbers random(7);
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random.between(0, 255));
    return bytes;
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
};

TEST_F(CompressedCopyTest, IsSmallerThanTheDisk) {
  FakeSource source(16 * kMiB);
  source.store(0, std::string(8 * kMiB, 'a')).store(12 * kMiB, std::string(kMiB, 'b'));
  expect_copied(source);
  EXPECT_LT(std::filesystem::file_size(at("copy")), kMiB / 2);
  EXPECT_THAT(run({"qemu-img", "info", "-f", "qcow2", at("copy")}), HasSubstr("compression type: zstd"));
}

TEST_F(CompressedCopyTest, KeepsBytesThatCannotBePacked) {
  FakeSource source(4 * kMiB);
  source.store(0, noise(kMiB) + std::string(kMiB, 'a') + noise(100'000) + std::string(3000, '\0') + noise(500'000));
  expect_copied(source);
  EXPECT_EQ(content_hash_of_copy(),
            copy_disk({source, at("third"), "raw", {buffers_, limiter_}, true}, {}, {})->content_hash);
}

TEST_F(CompressedCopyTest, TakesNoMoreThanWasPlannedForBytesThatCannotBePacked) {
  FakeSource source(32 * kMiB);
  source.store(0, noise(32 * kMiB));
  expect_copied(source);
  EXPECT_LE(std::filesystem::file_size(at("copy")), plan_copy(source, "qcow2")->stored_bytes);
}

TEST_F(CompressedCopyTest, CopiesSizesThatAreNoMultipleOfTheCluster) {
  for (const std::uint64_t size : {512UL, 65536UL - 512, 65536UL + 512, 1000448UL}) {
    FakeSource source(size);
    source.store(0, std::string(size, 'x'));
    expect_copied(source);
  }
}

TEST_F(CompressedCopyTest, CopiesEmptyDisks) {
  expect_copied(FakeSource(0));
  expect_copied(FakeSource(5 * kMiB));
}

TEST_F(CompressedCopyTest, LeavesOutStoredZeros) {
  FakeSource source(64 * kMiB);
  source.store_zeros(0, 60 * kMiB).store(63 * kMiB, "end");
  expect_copied(source);
  EXPECT_LT(std::filesystem::file_size(at("copy")), 7 * 65536U);
}

TEST_F(CompressedCopyTest, CopiesDisksOfManyTables) {
  FakeSource source(5000 * kMiB);
  for (std::uint64_t i = 0; i < 10; ++i) source.store(i * 500 * kMiB, noise(200'000));
  std::filesystem::remove(at("copy"));
  expect_sound(copy_compressed(request(source), {}, {}), source);
  qemu_img({"create", "-q", "-f", "qcow2", at("expected"), "5000M"});
  write_content(at("noise"), noise(200'000).substr(0, 199'680));
  std::vector<std::string> writes;
  for (int i = 0; i < 10; ++i) writes.push_back(fmt::format("write -s {} {}M 199680", at("noise").native(), i * 500));
  qemu_io(at("expected"), "qcow2", writes);
  for (std::uint64_t i = 0; i < 10; ++i) {
    write_content(at("tail"), noise(200'000).substr(199'680) + std::string(192, '\0'));
    qemu_io(at("expected"), "qcow2",
            {fmt::format("write -s {} {} 512", at("tail").native(), i * 500 * kMiB + 199'680)});
  }
  EXPECT_TRUE(are_identical(at("expected"), "qcow2", at("copy"), "qcow2"));
}

// More clusters of the file than one refcount block counts. What the clusters contain does not matter here.
TEST_F(CompressedCopyTest, CountsTheClustersOfALargeFile) {
  constexpr std::uint64_t kBlocks = 33'000;
  BlockMap map;
  ASSERT_TRUE(map.add(0, kBlocks));
  auto file = AppendFile::create(at("copy"));
  ASSERT_TRUE(file);
  auto image = PackedImage::begin(*file, kBlocks * kBlockBytes, map);
  ASSERT_TRUE(image);
  const std::vector<std::byte> packed(65'553);
  for (std::uint64_t block = 0; block < kBlocks; ++block) ASSERT_TRUE(image->add(block, packed));
  ASSERT_TRUE(image->finish());
  EXPECT_GT(file->size(), kRefcounts * kClusterBytes);
  qemu_img({"check", "-q", "-f", "qcow2", at("copy")});
}

TEST_F(CompressedCopyTest, HasOnlyWhatChangedOfADifference) {
  FakeSource source(16 * kMiB);
  source.store(0, std::string(8 * kMiB, 'a') + noise(100'000));
  write_content(at("parent"), std::string(12 * kMiB, 'a'));
  write_content(at("expected"), source.content());
  CopyRequest wanted = request(source);
  wanted.wants_content_hash = false;
  const Difference difference{{"parent", "raw", 12 * kMiB},
                              []() -> Result<std::unique_ptr<RangeCursor>> { return whole_range(8 * kMiB, 4 * kMiB); }};
  expect_sound(copy_compressed(wanted, difference, {}, {}), source);
  EXPECT_LT(std::filesystem::file_size(at("copy")), 8 * 65536U);
  EXPECT_TRUE(are_identical(at("expected"), "raw", at("copy"), "qcow2"));
}

TEST_F(CompressedCopyTest, RefusesRaw) {
  const FakeSource source(kMiB);
  const auto copied = copy_compressed({source, at("copy"), "raw", {buffers_, limiter_}}, {}, {});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kUnsupported);
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

TEST_F(CompressedCopyTest, ReportsProgressThatEndsWithAllThatWasPlanned) {
  FakeSource source(64 * kMiB);
  source.store(0, std::string(20 * kMiB, 'a'));
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(copy_compressed(request(source), {}, [&](std::uint64_t done) { seen.push_back(done); }));
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_GE(seen.size(), 5U);
  EXPECT_EQ(seen.back(), plan_copy(source, "qcow2")->stored_bytes);
}

TEST_F(CompressedCopyTest, StopsAndLeavesNothing) {
  FakeSource source(64 * kMiB);
  source.store(0, noise(64 * kMiB));
  std::stop_source stop;
  source.on_read = [&](std::uint64_t offset) -> Result<void> {
    if (offset > 10 * kMiB) stop.request_stop();
    return {};
  };
  const auto begin = steady_clock::now();
  const auto copied = copy_compressed(request(source), stop.get_token(), {});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, milliseconds(2000));
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

TEST_F(CompressedCopyTest, WorksWithASingleBuffer) {
  BufferPool one(1);
  FakeSource source(20 * kMiB);
  source.store(0, std::string(20 * kMiB, 'x'));
  expect_sound(copy_compressed({source, at("copy"), "qcow2", {one, limiter_}}, {}, {}), source);
}

TEST_F(CompressedCopyTest, PassesOnWhatTheSourceFailsWith) {
  FakeSource source(30 * kMiB);
  source.store(0, std::string(30 * kMiB, 'x'));
  source.on_read = [](std::uint64_t offset) -> Result<void> {
    if (offset < 20 * kMiB) return {};
    return fail(ErrorCode::kIo, "\"source\" cannot be read.");
  };
  const auto copied = copy_compressed(request(source), {}, {});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kIo);
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

TEST_F(CompressedCopyTest, SaysThatTheTargetIsFullAndLeavesNothing) {
  std::filesystem::create_directory(at("small"));
  if (::mount("none", at("small").c_str(), "tmpfs", 0, "size=2m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs needs root and CAP_SYS_ADMIN";
  }
  FakeSource source(30 * kMiB);
  source.store(0, noise(30 * kMiB));
  const auto copied = copy_compressed({source, at("small/copy"), "qcow2", {buffers_, limiter_}}, {}, {});
  EXPECT_EQ(copied ? ErrorCode::kInternal : copied.error().code, ErrorCode::kNoSpace);
  EXPECT_FALSE(std::filesystem::exists(at("small/copy")));
  ::umount(at("small").c_str());
}

}  // namespace
}  // namespace cohort::disk
