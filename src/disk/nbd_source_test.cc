#include "disk/nbd_source.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "disk/copy_image.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kMiB = 1U << 20U;

class NbdSourceTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  static Result<std::unique_ptr<DiskSource>> open(const Path& image, const std::string& format,
                                                  const std::stop_token& stop = {}) {
    COHORT_ASSIGN(const Chain chain, read_chain(image, format));
    return open_disk_through_qemu(chain, stop);
  }
  static std::vector<Extent> extents_of(const DiskSource& source) {
    std::vector<Extent> extents;
    const auto cursor = source.extents().value();
    while (auto extent = cursor->next().value()) extents.push_back(*extent);
    return extents;
  }
  Result<CopiedImage> copy(const Path& source, const std::string& format, const std::string& target) {
    std::filesystem::remove(at(target));
    return copy_image({source, format, at(target), "qcow2", {buffers_, limiter_}}, {}, {});
  }
  // The processes of QEMU that show an image of this test.
  [[nodiscard]] std::vector<pid_t> servers() {
    std::vector<pid_t> found;
    std::istringstream lines(run({"ps", "-e", "-o", "pid=,args="}));
    for (std::string line; std::getline(lines, line);) {
      if (line.find("qemu-nbd --read-only") == std::string::npos || line.find(at("").native()) == std::string::npos) {
        continue;
      }
      found.push_back(std::stoi(line));
    }
    return found;
  }
  void signal_server(int number) {
    const auto found = servers();
    ASSERT_EQ(found.size(), 1U);
    ASSERT_EQ(::kill(found[0], number), 0);
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
};

TEST_F(NbdSourceTest, ShowsTheExtentsOfTheDisk) {
  const auto source = open(make_qcow2(at("a")), "qcow2");
  ASSERT_TRUE(source) << source.error().describe();
  EXPECT_EQ((*source)->virtual_size(), 8 * kMiB);
  std::uint64_t end = 0;
  std::uint64_t data = 0;
  for (const Extent& extent : extents_of(**source)) {
    EXPECT_EQ(extent.offset, end);
    end = extent.offset + extent.length;
    if (extent.kind == ExtentKind::kData) data += extent.length;
  }
  EXPECT_EQ(end, 8 * kMiB);
  EXPECT_EQ(data, kMiB + 320 * 1024 + 65536);
}

TEST_F(NbdSourceTest, CopiesFormatsThatAreNotReadHereWithTheContentHashOfTheDisk) {
  make_qcow2(at("plain"));
  const auto plain = copy(at("plain"), "qcow2", "copy.plain");
  ASSERT_TRUE(plain) << plain.error().describe();
  for (const std::string format : {"vmdk", "vdi", "vhdx", "qed", "vpc"}) {
    std::vector<std::string> arguments{"convert", "-f", "qcow2", "-O", format};
    if (format == "vpc") arguments.insert(arguments.end(), {"-o", "force_size=on"});
    arguments.insert(arguments.end(), {at("plain"), at("a." + format)});
    qemu_img(arguments);
    const auto copied = copy(at("a." + format), format, "copy." + format);
    ASSERT_TRUE(copied) << format << ": " << copied.error().describe();
    EXPECT_EQ(copied->content_hash, plain->content_hash) << format;
    EXPECT_EQ(copied->sha256, sha256sum(at("copy." + format)));
    EXPECT_TRUE(are_identical(at("plain"), "qcow2", at("copy." + format), "qcow2"));
    qemu_img({"check", "-q", "-f", "qcow2", at("copy." + format)});
  }
}

TEST_F(NbdSourceTest, FailsClearlyForAnEncryptedImage) {
  run({"qemu-img", "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=x", "-o",
       "encrypt.format=aes,encrypt.key-secret=s", at("a"), "1M"});
  const auto copied = copy(at("a"), "qcow2", "copy");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(copied.error().message, HasSubstr("encrypted"));
  EXPECT_THAT(copied.error().message, HasSubstr(at("a").native()));
}

TEST_F(NbdSourceTest, SaysWhyQemuCannotReadAnImage) {
  write_content(at("a"), std::string(kMiB, 'x'));
  const auto source = open(at("a"), "vmdk");
  ASSERT_FALSE(source);
  EXPECT_THAT(source.error().describe(), HasSubstr(at("a").native()));
  EXPECT_EQ(open(at("a"), "nonsense").error().code, ErrorCode::kUnsupported);
}

TEST_F(NbdSourceTest, EndsItsServerAndLeavesNoFolder) {
  {
    const auto source = open(make_qcow2(at("a")), "qcow2");
    ASSERT_TRUE(source);
    EXPECT_THAT(servers(), SizeIs(1));
  }
  EXPECT_THAT(servers(), IsEmpty());
}

// Killed as by a crash: nothing of this process is asked.
TEST_F(NbdSourceTest, LeavesNoServerWhenTheProcessIsKilled) {
  make_qcow2(at("a"));
  const pid_t child = ::fork();
  if (child == 0) {
    const auto source = open(at("a"), "qcow2");
    write_content(at("ready"), source ? "yes" : "no");
    ::pause();
    ::_exit(0);
  }
  for (int i = 0; i < 1000 && content_of(at("ready")).empty(); ++i) std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(content_of(at("ready")), "yes");
  EXPECT_THAT(servers(), SizeIs(1));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (int i = 0; i < 100 && !servers().empty(); ++i) std::this_thread::sleep_for(milliseconds(20));
  EXPECT_THAT(servers(), IsEmpty());
}

TEST_F(NbdSourceTest, FailsWhenItsServerDies) {
  const auto source = open(make_qcow2(at("a")), "qcow2");
  ASSERT_TRUE(source);
  const auto extents = extents_of(**source);
  signal_server(SIGKILL);
  std::vector<std::byte> bytes(65536);
  const auto outcome = (*source)->read(extents[0], 0, bytes);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr(at("a").native()));
}

TEST_F(NbdSourceTest, StopsWithItsStopToken) {
  std::stop_source stop;
  const auto source = open(make_qcow2(at("a")), "qcow2", stop.get_token());
  ASSERT_TRUE(source);
  const auto extents = extents_of(**source);
  // It answers nothing any more.
  signal_server(SIGSTOP);
  const auto begin = steady_clock::now();
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(milliseconds(200));
    stop.request_stop();
  });
  std::vector<std::byte> bytes(65536);
  const auto outcome = (*source)->read(extents[0], 0, bytes);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled);
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1500));
}

}  // namespace
}  // namespace cohort::disk
