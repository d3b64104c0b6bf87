#include "disk/copy_image.h"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "disk/measure.h"
#include "disk/open_image_in_qemu.h"
#include "disk/qcow2_header.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

enum class Way { kThroughQemu, kDirectly };

// What holds of a copy in whichever way it is made.
class CopyEachWayTest : public testing::TestWithParam<Way> {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }
  struct Wanted {
    Path source;
    std::string source_format;
    Path target;
    std::string target_format;
    std::uint64_t rate_limit = 0;
  };
  Result<CopiedImage> copy(const Wanted& wanted, const std::stop_token& stop = {},
                           const std::function<void(double)>& on_progress = {}) {
    RateLimiter limiter(wanted.rate_limit);
    const auto measured = measure(wanted.source, wanted.source_format, wanted.target_format);
    const auto on_bytes = [&](std::uint64_t done) {
      if (on_progress) on_progress(static_cast<double>(done) / static_cast<double>(measured.value_or(1)));
    };
    const auto& copy = GetParam() == Way::kThroughQemu ? copy_image_through_qemu : copy_image;
    return copy({wanted.source, wanted.source_format, wanted.target, wanted.target_format, {buffers_, limiter}}, stop,
                on_bytes);
  }
  Result<CopiedImage> copy(const Path& source, const std::string& source_format, const Path& target,
                           const std::string& target_format) {
    return copy({source, source_format, target, target_format, 0});
  }
  Result<std::uint64_t> measure(const Path& source, const std::string& source_format,
                                const std::string& target_format) {
    if (GetParam() == Way::kThroughQemu) return measure_image(source, source_format, target_format);
    return measure_copy(source, source_format, target_format);
  }
  // Copies to both formats and checks all that is promised of the result.
  void expect_copied(const Path& source, const std::string& format, std::uint64_t virtual_size) {
    for (const std::string target_format : {"qcow2", "raw"}) {
      const Path target = at("copy." + target_format);
      std::filesystem::remove(target);
      const auto copied = copy(source, format, target, target_format);
      ASSERT_TRUE(copied) << copied.error().describe();
      EXPECT_TRUE(are_identical(source, format, target, target_format));
      if (target_format == "qcow2") expect_sound(target);
      EXPECT_EQ(copied->virtual_size, virtual_size);
      EXPECT_EQ(copied->file_size, std::filesystem::file_size(target));
      EXPECT_EQ(copied->sha256, sha256sum(target));
      const auto header = read_qcow2_header(target);
      EXPECT_FALSE(header && header->backing_file);
    }
  }
  std::uint64_t allocated(const Path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return static_cast<std::uint64_t>(info.st_blocks) * 512;
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
};

INSTANTIATE_TEST_SUITE_P(InEachWay, CopyEachWayTest, testing::Values(Way::kThroughQemu, Way::kDirectly),
                         [](const auto& tested) {
                           return tested.param == Way::kDirectly ? "Directly" : "ThroughQemu";
                         });

TEST_P(CopyEachWayTest, CopiesQcow2) { expect_copied(make_qcow2(at("a.qcow2")), "qcow2", 8U << 20U); }

TEST_P(CopyEachWayTest, CopiesRaw) {
  write_content(at("a.raw"), std::string(3U << 20U, 'x') + std::string(1U << 20U, '\0') + std::string(512, 'y'));
  expect_copied(at("a.raw"), "raw", (4U << 20U) + 512);
}

TEST_P(CopyEachWayTest, CopiesSizesThatAreNoMultipleOfTheCluster) {
  qemu_img({"create", "-q", "-f", "qcow2", at("a.qcow2"), "1000448"});
  qemu_io(at("a.qcow2"), "qcow2", {"write -P 9 0 1000448"});
  expect_copied(at("a.qcow2"), "qcow2", 1000448);
}

TEST_P(CopyEachWayTest, CopiesCompressedClusters) {
  make_qcow2(at("plain"));
  qemu_img({"convert", "-c", "-f", "qcow2", "-O", "qcow2", at("plain"), at("packed")});
  expect_copied(at("packed"), "qcow2", 8U << 20U);
  EXPECT_TRUE(are_identical(at("plain"), "qcow2", at("copy.raw"), "raw"));
}

// Which lies past the end of the disk, in places that its first table has besides those of the disk.
TEST_P(CopyEachWayTest, CopiesADiskWithoutTheMachinesStateBesideIt) {
  make_qcow2(at("a.qcow2"));
  qemu_io(at("a.qcow2"), "qcow2", {"write -b -P 7 0 1M"});
  qemu_img({"snapshot", "-c", "kept", at("a.qcow2")});
  EXPECT_GT(read_qcow2_header(at("a.qcow2")).value().l1_entries, 1U);
  expect_copied(at("a.qcow2"), "qcow2", 8U << 20U);
  EXPECT_TRUE(are_identical(make_qcow2(at("plain")), "qcow2", at("copy.raw"), "raw"));
}

TEST_P(CopyEachWayTest, CopiesAnEmptyDisk) {
  qemu_img({"create", "-q", "-f", "qcow2", at("a.qcow2"), "0"});
  expect_copied(at("a.qcow2"), "qcow2", 0);
}

// A shorter raw base below a longer overlay with zero clusters over data: all that can shine through wrongly.
TEST_P(CopyEachWayTest, CopiesABackingChain) {
  write_content(at("base.raw"), std::string(2U << 20U, 'b'));
  qemu_img({"create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", at("middle"), "6M"});
  qemu_io(at("middle"), "qcow2", {"write -P 4 1M 128k", "write -z 0 256k"});
  qemu_img({"create", "-q", "-f", "qcow2", "-b", "middle", "-F", "qcow2", at("top"), "8M"});
  qemu_io(at("top"), "qcow2", {"write -P 5 7M 1000", "discard 1M 64k"});
  expect_copied(at("top"), "qcow2", 8U << 20U);
}

TEST_P(CopyEachWayTest, CopiesFilesOfOddNames) {
  const Path plain = make_qcow2(at("plain"));
  for (const std::string name : {"a b", "a:b", "nbd:x", "a,b,,c", "-f", "ä€\xf0\x9f\x98\x80", "a\"'\\b", "a\nb",
                                 "a=b%20", "json:{}", "\xff\xfe", "a,driver=raw"}) {
    const Path folder = at(name);
    std::filesystem::create_directory(folder);
    std::filesystem::copy_file(plain, folder / name);
    const auto copied = copy(folder / name, "qcow2", folder / (name + " copy"), "qcow2");
    ASSERT_TRUE(copied) << name << ": " << copied.error().describe();
    std::filesystem::rename(folder / (name + " copy"), at("copy"));
    EXPECT_TRUE(are_identical(at("copy"), "qcow2", plain, "qcow2")) << name;
  }
}

TEST_P(CopyEachWayTest, CopiesFromAndToRelativeNames) {
  const Path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  make_qcow2("x");
  std::filesystem::rename("x", "nbd:1,2");
  const auto copied = copy("nbd:1,2", "qcow2", "fat:copy", "raw");
  std::filesystem::current_path(before);
  EXPECT_TRUE(copied) << copied.error().describe();
  EXPECT_TRUE(std::filesystem::exists(at("fat:copy")));
}

TEST_P(CopyEachWayTest, FollowsABackingFileOfOddName) {
  std::filesystem::rename(make_qcow2(at("plain")), at("b a,s:e"));
  make_qcow2(at("plain"));
  qemu_img({"create", "-q", "-f", "qcow2", "-u", "-b", at("b a,s:e"), "-F", "qcow2", at("top"), "8M"});
  ASSERT_TRUE(copy(at("top"), "qcow2", at("copy"), "qcow2"));
  EXPECT_TRUE(are_identical(at("copy"), "qcow2", at("plain"), "qcow2"));
}

TEST_P(CopyEachWayTest, LeavesHolesWhereTheSourceIsZero) {
  qemu_img({"create", "-q", "-f", "raw", at("a.raw"), "1G"});
  qemu_io(at("a.raw"), "raw", {"write -P 1 512M 64k", "write -P 0 700M 16M"});
  for (const std::string format : {"raw", "qcow2"}) {
    ASSERT_TRUE(copy(at("a.raw"), "raw", at("copy." + format), format));
    EXPECT_LT(allocated(at("copy." + format)), 1U << 20U) << format;
  }
}

TEST_P(CopyEachWayTest, MakesTheTargetPrivate) {
  ASSERT_TRUE(copy(make_qcow2(at("a")), "qcow2", at("copy"), "qcow2"));
  EXPECT_EQ(std::filesystem::status(at("copy")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_P(CopyEachWayTest, NeverOverwrites) {
  write_content(at("copy"), "precious");
  const auto copied = copy(make_qcow2(at("a")), "qcow2", at("copy"), "qcow2");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(content_of(at("copy")), "precious");
}

TEST_P(CopyEachWayTest, ReportsProgressFromZeroToOne) {
  std::vector<double> seen;
  ASSERT_TRUE(copy({make_qcow2(at("a")), "qcow2", at("copy"), "raw", 0}, {},
                   [&](double fraction) { seen.push_back(fraction); }));
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_DOUBLE_EQ(seen.back(), 1.0);
}

TEST_P(CopyEachWayTest, KeepsToTheRateLimit) {
  write_content(at("a.raw"), std::string(6U << 20U, 'x'));
  const auto begin = steady_clock::now();
  ASSERT_TRUE(copy({at("a.raw"), "raw", at("copy"), "qcow2", 2U << 20U}, {}, {}));
  EXPECT_GT(steady_clock::now() - begin, milliseconds(1500));
}

TEST_P(CopyEachWayTest, StopsWithinASecondAndLeavesNothing) {
  write_content(at("a.raw"), std::string(16U << 20U, 'x'));
  std::stop_source stop;
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(milliseconds(300));
    stop.request_stop();
  });
  const auto begin = steady_clock::now();
  const auto copied = copy({at("a.raw"), "raw", at("copy"), "qcow2", 1U << 20U}, stop.get_token(), {});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1300));
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

TEST_P(CopyEachWayTest, SaysThatTheTargetIsFullAndLeavesNothing) {
  std::filesystem::create_directory(at("small"));
  if (::mount("none", at("small").c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs needs root and CAP_SYS_ADMIN";
  }
  const auto copied = copy(make_qcow2(at("a")), "qcow2", at("small/copy"), "qcow2");
  const bool is_left = std::filesystem::exists(at("small/copy"));
  ::umount(at("small").c_str());
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kNoSpace) << copied.error().describe();
  EXPECT_FALSE(is_left);
}

TEST_P(CopyEachWayTest, CopiesAFrozenChainThatARunningMachineStandsOn) {
  make_qcow2(at("base.qcow2"));
  write_content(at("base.raw"), std::string(1U << 20U, 'x'));
  for (const std::string format : {"qcow2", "raw"}) {
    qemu_img({"create", "-q", "-f", "qcow2", "-b", "base." + format, "-F", format, at("top." + format)});
    const OpenImage machine(at("top." + format), "qcow2");
    const auto copied = copy(at("base." + format), format, at("copy." + format), "qcow2");
    EXPECT_TRUE(copied) << copied.error().describe();
  }
}

TEST_P(CopyEachWayTest, RefusesALayerThatSomebodyWritesTo) {
  make_qcow2(at("base.qcow2"));
  write_content(at("base.raw"), std::string(1U << 20U, 'x'));
  for (const std::string format : {"qcow2", "raw"}) {
    qemu_img({"create", "-q", "-f", "qcow2", "-b", "base." + format, "-F", format, at("top." + format)});
    const OpenImage writer(at("base." + format), format);
    const auto copied = copy(at("top." + format), "qcow2", at("copy." + format), "qcow2");
    ASSERT_FALSE(copied) << format;
    EXPECT_EQ(copied.error().code, ErrorCode::kInUse) << copied.error().describe();
    EXPECT_THAT(copied.error().message, HasSubstr(at("base." + format).native()));
    EXPECT_FALSE(std::filesystem::exists(at("copy." + format)));
  }
}

TEST_P(CopyEachWayTest, MeasuresAnImageThatAMachineWritesTo) {
  make_qcow2(at("active"));
  const auto at_rest = measure(at("active"), "qcow2", "qcow2");
  ASSERT_TRUE(at_rest) << at_rest.error().describe();
  const OpenImage machine(at("active"), "qcow2");
  const auto in_use = measure(at("active"), "qcow2", "qcow2");
  ASSERT_TRUE(in_use) << in_use.error().describe();
  EXPECT_EQ(*in_use, *at_rest);
}

TEST_P(CopyEachWayTest, RefusesALayerThatIsCutOff) {
  make_qcow2(at("a"));
  std::filesystem::resize_file(at("a"), 1'000'000);
  const auto copied = copy(at("a"), "qcow2", at("copy"), "qcow2");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

TEST_P(CopyEachWayTest, RefusesOtherTargetFormats) {
  EXPECT_EQ(copy(make_qcow2(at("a")), "qcow2", at("copy"), "vmdk").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(measure(at("a"), "qcow2", "vmdk").error().code, ErrorCode::kUnsupported);
}

TEST_P(CopyEachWayTest, TakesNoMoreThanMeasured) {
  write_content(at("base.raw"), std::string(2U << 20U, 'b'));
  qemu_img({"create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", at("top"), "100M"});
  qemu_io(at("top"), "qcow2", {"write -P 4 50M 3M"});
  for (const std::string format : {"qcow2", "raw"}) {
    const auto measured = measure(at("top"), "qcow2", format);
    ASSERT_TRUE(measured) << measured.error().describe();
    ASSERT_TRUE(copy(at("top"), "qcow2", at("copy." + format), format));
    EXPECT_GE(*measured, allocated(at("copy." + format)));
    EXPECT_LT(*measured, 7U << 20U);
  }
}

}  // namespace
}  // namespace cohort::disk
