#include "disk/copy.h"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <chrono>
#include <future>
#include <thread>

#include "base/parallel.h"
#include "disk/content_hash.h"
#include "disk/fake_source.h"
#include "disk/qcow2_header.h"
#include "disk/random_images.h"

namespace cohort::disk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr std::uint64_t kTiB = kMiB << 20U;

// What content_hash.h says, of a whole disk in memory.
std::string content_hash_of(const std::string& disk) {
  std::string lines = fmt::format("{}\n", disk.size());
  for (std::size_t offset = 0; offset < disk.size(); offset += 65536) {
    const std::string block = disk.substr(offset, 65536);
    if (block.find_first_not_of('\0') != std::string::npos) {
      lines += fmt::format("{} {}\n", offset, Sha256::of(block));
    }
  }
  return Sha256::of(lines);
}

std::uint64_t allocated(const Path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

class CopyTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  Result<CopiedImage> copy(const DiskSource& source, const Path& target, const std::string& format,
                           const std::stop_token& stop = {}) {
    return copy_disk({source, target, format, {buffers_, limiter_}, true, {}, hashes_in_one_pass_}, stop, {});
  }

  // Copies and checks all that is promised of the result but what the disk contains.
  CopiedImage expect_copied(const DiskSource& source, const std::string& format) {
    const Path target = at("copy." + format);
    std::filesystem::remove(target);
    const auto planned = plan_copy(source, format);
    const auto copied = copy(source, target, format);
    EXPECT_TRUE(planned && copied) << (copied ? "" : copied.error().describe());
    if (!planned || !copied) return {};
    EXPECT_EQ(copied->virtual_size, source.virtual_size());
    EXPECT_EQ(copied->file_size, std::filesystem::file_size(target));
    EXPECT_EQ(copied->file_size, planned->file_size);
    EXPECT_LE(allocated(target), planned->stored_bytes + 64 * 1024);  // the file system's own
    EXPECT_EQ(copied->sha256, sha256sum(target));
    if (format == "qcow2") qemu_img({"check", "-q", "-f", "qcow2", target});
    return *copied;
  }

  void expect_copied(const FakeSource& source) {
    write_content(at("expected"), source.content());
    for (const std::string format : {"qcow2", "raw"}) {
      hashes_in_one_pass_ = false;
      EXPECT_EQ(expect_copied(source, format).content_hash, content_hash_of(source.content()));
      hashes_in_one_pass_ = Sha256OfParts::is_one_pass();
      EXPECT_EQ(expect_copied(source, format).content_hash, content_hash_of(source.content()));
      EXPECT_TRUE(are_identical(at("expected"), "raw", at("copy." + format), format)) << format;
    }
  }

  // Fails, and nothing is left.
  Error expect_failure(const DiskSource& source, const std::stop_token& stop = {}) {
    const auto copied = copy(source, at("copy"), "qcow2", stop);
    EXPECT_FALSE(copied);
    EXPECT_FALSE(std::filesystem::exists(at("copy")));
    return copied ? Error{} : copied.error();
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
  bool hashes_in_one_pass_ = Sha256OfParts::is_one_pass();
};

TEST_F(CopyTest, CopiesDataAndHoles) {
  FakeSource source(10 * kMiB);
  source.store(0, std::string(kMiB, 'a')).store(3 * kMiB, std::string(2 * kMiB + 65536, 'b'));
  source.store(9 * kMiB, std::string(65536, 'c'));
  expect_copied(source);
}

TEST_F(CopyTest, CopiesSizesThatAreNoMultipleOfTheCluster) {
  for (const std::uint64_t size : {512UL, 65536UL - 512, 65536UL + 512, 1000448UL, 3 * kMiB + 4096}) {
    FakeSource source(size);
    source.store(0, std::string(size, 'x'));
    expect_copied(source);
  }
}

TEST_F(CopyTest, CopiesEmptyDisks) {
  expect_copied(FakeSource(0));
  expect_copied(FakeSource(512));
  expect_copied(FakeSource(5 * kMiB));
}

TEST_F(CopyTest, CopiesExtentsThatAreSmallerThanItsClusters) {
  FakeSource source(2 * kMiB);
  for (std::uint64_t offset = 512; offset < kMiB; offset += 3072) source.store(offset, std::string(1024, 's'));
  source.store(kMiB + 60000, std::string(10000, 't')).store(kMiB + 70000, std::string(1, 'u'));
  expect_copied(source);
}

TEST_F(CopyTest, CopiesRandomDisks) {
  for_random_seeds(4, 300, [&](unsigned seed) {
    RandomNumbers random(seed);
    FakeSource source(random.between(1, 12 * kMiB / 512) * 512);
    const std::uint64_t step = 512 << random.between(0, 9);
    std::uint64_t place = random.between(0, 8) * step;
    while (true) {
      const std::uint64_t length = random.between(1, random.percent(5) ? 4000 : 20) * step;
      if (place + length > source.virtual_size()) break;
      std::string bytes(length, static_cast<char>(random.between(0, 255)));
      if (random.percent(30)) std::fill_n(bytes.begin(), bytes.size() / 2, '\0');
      source.store(place, std::move(bytes));
      place += length + (random.percent(50) ? random.between(1, 300) * step : 0);
    }
    expect_copied(source);
  });
}

TEST_F(CopyTest, CopiesAHugeSparseDiskAtTheCostOfWhatIsStored) {
  FakeSource source(kTiB);
  for (std::uint64_t i = 0; i < 64; ++i) source.store(i * (kTiB / 64) + 65536, std::string(65536, 'd'));
  source.store(kTiB - 512, std::string(512, 'e'));
  expect_copied(source, "qcow2");
  EXPECT_LT(allocated(at("copy.qcow2")), 16 * kMiB);
  qemu_img({"create", "-q", "-f", "raw", at("expected"), "1T"});
  std::vector<std::string> writes{fmt::format("write -q -P 101 {} 512", kTiB - 512)};
  for (std::uint64_t i = 0; i < 64; ++i) {
    writes.push_back(fmt::format("write -q -P 100 {} 64k", i * (kTiB / 64) + 65536));
  }
  qemu_io(at("expected"), "raw", writes);
  EXPECT_TRUE(are_identical(at("expected"), "raw", at("copy.qcow2"), "qcow2"));
}

// More clusters than one refcount block counts; stored zeros stay holes.
TEST_F(CopyTest, LeavesHolesWhereStoredBytesAreZero) {
  FakeSource source(2200 * kMiB);
  source.store_zeros(0, 2199 * kMiB).store(2199 * kMiB, std::string(65536, 'z'));
  ASSERT_TRUE(copy(source, at("copy"), "qcow2"));
  qemu_img({"check", "-q", "-f", "qcow2", at("copy")});
  EXPECT_GT(std::filesystem::file_size(at("copy")), 2199 * kMiB);
  EXPECT_LT(allocated(at("copy")), kMiB);
}

TEST_F(CopyTest, LeavesHolesBetweenStoredBytes) {
  FakeSource source(kMiB);
  source.store(0, std::string(65536, 'a') + std::string(kMiB - 2 * 65536, '\0') + std::string(65536, 'b'));
  for (const std::string format : {"qcow2", "raw"}) {
    expect_copied(source, format);
    EXPECT_LT(allocated(at("copy." + format)), kMiB / 2);
  }
}

TEST_F(CopyTest, FollowsThePlanWhenHolesOfTheSourceVanish) {
  for (const bool do_vanish : {false, true}) {
    FakeSource source(8 * kMiB);
    source.store(kMiB, std::string(100000, 'a')).store(6 * kMiB + 512, std::string(100000, 'b'));
    source.holes_vanish = do_vanish;
    ASSERT_TRUE(copy(source, at(do_vanish ? "vanished" : "kept"), "qcow2"));
  }
  EXPECT_EQ(content_of(at("vanished")), content_of(at("kept")));
}

TEST_F(CopyTest, MakesTheTargetPrivate) {
  ASSERT_TRUE(copy(FakeSource(kMiB), at("copy"), "raw"));
  EXPECT_EQ(std::filesystem::status(at("copy")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(CopyTest, NeverOverwrites) {
  write_content(at("copy"), "precious");
  const auto copied = copy(FakeSource(kMiB), at("copy"), "qcow2");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(content_of(at("copy")), "precious");
}

TEST_F(CopyTest, RefusesOtherFormatsAndDisksThatAreTooLarge) {
  EXPECT_EQ(copy(FakeSource(kMiB), at("copy"), "vmdk").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(plan_copy(FakeSource(kMiB), "vmdk").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(expect_failure(FakeSource(4096 * kTiB)).code, ErrorCode::kUnsupported);
}

// An image can map a small file to any number of places. Full tables count, too.
TEST_F(CopyTest, RefusesMoreBlocksThanItHasMemoryFor) {
  FakeSource source(std::uint64_t{1} << 62U);
  source.store_zeros(0, source.virtual_size());
  const Error error = expect_failure(source);
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("too much"));
}

TEST_F(CopyTest, ReportsProgressThatEndsWithAllThatWasPlanned) {
  FakeSource source(64 * kMiB);
  source.store(0, std::string(20 * kMiB, 'a')).store(30 * kMiB, std::string(4096, 'b'));
  for (const std::string format : {"qcow2", "raw"}) {
    std::vector<std::uint64_t> seen;
    ASSERT_TRUE(copy_disk({source, at(format), format, {buffers_, limiter_}}, {},
                          [&](std::uint64_t done) { seen.push_back(done); }));
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_GE(seen.size(), 4U);
    EXPECT_EQ(seen.back(), plan_copy(source, format)->stored_bytes);
  }
}

TEST_F(CopyTest, KeepsToARateLimitThatCanBeChanged) {
  FakeSource source(40 * kMiB);
  source.store(0, std::string(40 * kMiB, 'x'));
  limiter_.set_rate(2 * kMiB);
  const auto begin = steady_clock::now();
  std::jthread changer([&] {
    std::this_thread::sleep_for(milliseconds(900));
    limiter_.set_rate(0);
  });
  ASSERT_TRUE(copy(source, at("copy"), "raw"));
  EXPECT_GT(steady_clock::now() - begin, milliseconds(850));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(5000));
}

TEST_F(CopyTest, StopsWhileItWaitsForTheRateLimit) {
  FakeSource source(16 * kMiB);
  source.store(0, std::string(16 * kMiB, 'x'));
  limiter_.set_rate(1000);
  std::stop_source stop;
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(milliseconds(200));
    stop.request_stop();
  });
  const auto begin = steady_clock::now();
  EXPECT_EQ(expect_failure(source, stop.get_token()).code, ErrorCode::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1200));
}

TEST_F(CopyTest, StopsWhileItHashesALongHole) {
  std::stop_source stop;
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(milliseconds(200));
    stop.request_stop();
  });
  const auto begin = steady_clock::now();
  const auto copied = copy(FakeSource(kTiB), at("copy"), "raw", stop.get_token());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1200));
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

TEST_F(CopyTest, StopsWhileAllBuffersAreTaken) {
  BufferPool one(1);
  const auto taken = one.take({});
  FakeSource source(kMiB);
  source.store(0, std::string(kMiB, 'x'));
  std::stop_source stop;
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(milliseconds(200));
    stop.request_stop();
  });
  const auto copied = copy_disk({source, at("copy"), "qcow2", {one, limiter_}}, stop.get_token(), {});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

TEST_F(CopyTest, CopiesDisksSideBySideWithASingleBuffer) {
  BufferPool one(1);
  FakeSource source(20 * kMiB);
  source.store(0, std::string(20 * kMiB, 'x'));
  const auto copies = run_in_parallel(3, [&](std::size_t i) -> Result<CopiedImage> {
    return copy_disk({source, at(fmt::format("copy{}", i)), "qcow2", {one, limiter_}}, {}, {});
  });
  for (const auto& copied : copies) {
    ASSERT_TRUE(copied);
    EXPECT_EQ(copied->sha256, copies[0]->sha256);
  }
}

TEST_F(CopyTest, PassesOnWhatTheSourceFailsWith) {
  FakeSource source(30 * kMiB);
  source.store(0, std::string(30 * kMiB, 'x'));
  source.on_read = [](std::uint64_t offset) -> Result<void> {
    if (offset < 20 * kMiB) return {};
    return fail(ErrorCode::kCorrupt, "\"source\" ends early.");
  };
  const Error error = expect_failure(source);
  EXPECT_EQ(error.code, ErrorCode::kCorrupt);
  EXPECT_THAT(error.message, HasSubstr("\"source\""));
}

TEST_F(CopyTest, PassesOnDamagedTablesInEitherWalk) {
  for (const int damaged : {0, 1}) {
    FakeSource source(8 * kMiB);
    source.store(0, std::string(kMiB, 'x')).store(3 * kMiB, std::string(kMiB, 'x'));
    source.on_walk = [&](int walk) -> Result<void> {
      if (walk < damaged) return {};
      return fail(ErrorCode::kCorrupt, "An entry is damaged.");
    };
    EXPECT_EQ(expect_failure(source).code, ErrorCode::kCorrupt);
  }
}

TEST_F(CopyTest, SaysThatTheTargetIsFullAndLeavesNothing) {
  std::filesystem::create_directory(at("small"));
  if (::mount("none", at("small").c_str(), "tmpfs", 0, "size=2m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs needs root and CAP_SYS_ADMIN";
  }
  FakeSource source(30 * kMiB);
  source.store(0, std::string(30 * kMiB, 'x'));
  for (const std::string format : {"qcow2", "raw"}) {
    const auto copied = copy(source, at("small/copy"), format);
    EXPECT_EQ(copied ? ErrorCode::kInternal : copied.error().code, ErrorCode::kNoSpace);
    EXPECT_FALSE(std::filesystem::exists(at("small/copy")));
  }
  ::umount(at("small").c_str());
}

}  // namespace
}  // namespace cohort::disk
