#include "disk/copy_image.h"

#include <gmock/gmock.h>
#include <signal.h>

#include "disk/source.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// Shows an image to any number of clients, as long as this object is there.
class NbdServer {
 public:
  NbdServer(const Path& image, const std::string& format, const Path& folder)
      : socket_(folder / "socket"), pid_file_(folder / "pid") {
    run({"qemu-nbd", "--read-only", "--persistent", "--shared=8", "--fork", "--pid-file=" + pid_file_.native(),
         "--socket=" + socket_.native(), "--format=" + format, image});
  }
  ~NbdServer() { ::kill(std::stoi(content_of(pid_file_)), SIGTERM); }
  NbdServer(const NbdServer&) = delete;
  NbdServer& operator=(const NbdServer&) = delete;
  [[nodiscard]] std::string name() const { return "nbd+unix:///?socket=" + socket_.native(); }

 private:
  Path socket_;
  Path pid_file_;
};

class CopyImageTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  Result<CopiedImage> copy(const Path& source, const std::string& format, bool is_compressed = false,
                           bool is_hashed = true, const std::string& target_format = "qcow2") {
    std::filesystem::remove(at("copy"));
    return copy_image({.source = source,
                       .source_format = format,
                       .target = at("copy"),
                       .target_format = target_format,
                       .resources = {buffers_, limiter_},
                       .is_compressed = is_compressed,
                       .is_hashed = is_hashed},
                      {}, {});
  }

  // Copies a disk that only QEMU reads in every way there is.
  void expect_copies(const Path& source, const std::string& format) {
    const auto chain = read_chain(source, format);
    ASSERT_TRUE(chain) << chain.error().describe();
    EXPECT_EQ(open_disk(*chain, {}).error().code, ErrorCode::kUnsupported);
    EXPECT_TRUE(measure_copy(source, format, "qcow2"));
    qemu_img({"convert", "-f", format, "-O", "qcow2", source, at("expected")});
    const auto expected = copy(at("expected"), "qcow2");
    ASSERT_TRUE(expected) << expected.error().describe();
    const auto expect_copy = [&](const auto& copied, const std::string& target_format) {
      ASSERT_TRUE(copied) << copied.error().describe();
      EXPECT_EQ(copied->virtual_size, expected->virtual_size);
      EXPECT_TRUE(are_identical(at("copy"), target_format, at("expected"), "qcow2"));
      if (target_format == "qcow2") qemu_img({"check", "-q", "-f", "qcow2", at("copy")});
      if (copied->sha256.empty()) return;
      EXPECT_EQ(copied->content_hash, expected->content_hash);
      EXPECT_EQ(copied->sha256, sha256sum(at("copy")));
    };
    expect_copy(copy(source, format), "qcow2");
    expect_copy(copy(source, format, true), "qcow2");
    expect_copy(copy(source, format, false, true, "raw"), "raw");
    const auto unhashed = copy(source, format, false, false);
    expect_copy(unhashed, "qcow2");
    EXPECT_EQ(unhashed->sha256 + unhashed->content_hash, "");
    expect_copy(copy(source, format, false, false, "raw"), "raw");
  }

  // A qcow2 image whose head has this byte at this place.
  Path with_byte(const std::string& name, std::size_t place, std::uint8_t byte) {
    std::string content = content_of(make_qcow2(at(name)));
    content[place] = static_cast<char>(byte);
    write_content(at(name), content);
    return at(name);
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
};

TEST_F(CopyImageTest, CopiesThroughQemuWhatCannotBeReadWithoutIt) {
  make_qcow2(at("plain"));
  qemu_img({"convert", "-f", "qcow2", "-O", "vmdk", at("plain"), at("a.vmdk")});
  const auto measured = measure_copy(at("a.vmdk"), "vmdk", "qcow2");
  ASSERT_TRUE(measured) << measured.error().describe();
  std::vector<std::uint64_t> seen;
  const auto copied = copy_image({at("a.vmdk"), "vmdk", at("copy"), "qcow2", {buffers_, limiter_}}, {},
                                 [&](std::uint64_t done) { seen.push_back(done); });
  ASSERT_TRUE(copied) << copied.error().describe();
  EXPECT_TRUE(are_identical(at("copy"), "qcow2", at("plain"), "qcow2"));
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.back(), *measured);
}

TEST_F(CopyImageTest, CopiesOverlaysOnFormatsThatOnlyQemuReads) {
  make_qcow2(at("plain"));
  for (const std::string format : {"vmdk", "vdi", "vhdx"}) {
    SCOPED_TRACE(format);
    qemu_img({"convert", "-f", "qcow2", "-O", format, at("plain"), at("base")});
    qemu_img({"create", "-q", "-f", "qcow2", "-b", at("base"), "-F", format, at("top")});
    qemu_io(at("top"), "qcow2", {"write -P 9 512k 100k", "write -z 3M 64k", "discard 7M 64k", "write -P 8 6M 4k"});
    expect_copies(at("top"), "qcow2");
    std::filesystem::remove(at("top"));
  }
}

TEST_F(CopyImageTest, CopiesAChainThatEndsAtAServer) {
  const NbdServer server(make_qcow2(at("base")), "qcow2", folder_.path());
  qemu_img({"create", "-q", "-f", "qcow2", "-b", server.name(), "-F", "raw", at("middle")});
  qemu_io(at("middle"), "qcow2", {"write -P 9 512k 100k", "write -z 3M 64k"});
  qemu_img({"create", "-q", "-f", "qcow2", "-b", at("middle"), "-F", "qcow2", at("top")});
  qemu_io(at("top"), "qcow2", {"write -P 8 6M 4k"});
  EXPECT_THAT(read_chain(at("top"), "qcow2")->layers, SizeIs(2));
  expect_copies(at("top"), "qcow2");
}

// No feature is known to this QEMU and not to us, so it is QEMU that has to say no.
TEST_F(CopyImageTest, LeavesUnknownFeaturesToQemuAndSaysWhatToDoWhenItDoesNotKnowThemEither) {
  constexpr std::size_t kLowFeatures = 79;
  const std::vector<std::pair<std::size_t, std::uint8_t>> changes{{kLowFeatures, 0x80}, {kLowFeatures, 0x08}, {7, 4}};
  for (const auto& [place, byte] : changes) {
    SCOPED_TRACE(place + byte);
    with_byte("a", place, byte);
    if (byte == 0x08) {
      std::string content = content_of(at("a"));
      content[104] = 7;  // the compression type
      write_content(at("a"), content);
    }
    const auto chain = read_chain(at("a"), "qcow2");
    ASSERT_TRUE(chain) << chain.error().describe();
    EXPECT_FALSE(chain->layers.at(0).header);
    qemu_img({"create", "-q", "-u", "-f", "qcow2", "-b", at("a"), "-F", "qcow2", at("top"), "8M"});
    for (const Path& source : {at("a"), at("top")}) {
      const auto copied = copy(source, "qcow2");
      const auto measured = measure_copy(source, "qcow2", "qcow2");
      ASSERT_FALSE(copied || measured);
      for (const Error& error : {copied.error(), measured.error()}) {
        EXPECT_EQ(error.code, ErrorCode::kUnsupported) << error.describe();
        EXPECT_THAT(error.message, HasSubstr(fmt::format("\"{}\"", at("a").native())));
        EXPECT_THAT(error.message, HasSubstr("upgrade QEMU"));
        EXPECT_NE(error.cause, "");
      }
      EXPECT_FALSE(std::filesystem::exists(at("copy")));
    }
  }
}

TEST_F(CopyImageTest, LeavesNothingToQemuThatNamesFurtherImagesOrIsMarkedCorrupt) {
  constexpr std::size_t kLowFeatures = 79;
  with_byte("a", kLowFeatures, 0x82);
  EXPECT_EQ(copy(at("a"), "qcow2").error().code, ErrorCode::kCorrupt);
  make_qcow2(at("base"));
  qemu_img({"create", "-q", "-f", "qcow2", "-b", at("base"), "-F", "qcow2", at("top")});
  std::string content = content_of(at("top"));
  content[kLowFeatures] = static_cast<char>(0x80);
  write_content(at("top"), content);
  const auto copied = copy(at("top"), "qcow2");
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(copied.error().message, HasSubstr("stands on another image"));
}

TEST_F(CopyImageTest, IsToldNoUnknownFeaturesOfAPackage) {
  const auto refused = measure_listed({{with_byte("a", 79, 0x80), "qcow2"}}, "qcow2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().describe(), HasSubstr("0x80"));
}

TEST_F(CopyImageTest, RefusesEncryptedImagesThoughQemuCouldReadThem) {
  constexpr std::size_t kLowCryptMethod = 35;
  constexpr std::uint8_t kLuks = 2;
  with_byte("a", kLowCryptMethod, kLuks);
  for (const std::string format : {"qcow2", "luks"}) {
    const auto copied = copy(at("a"), format);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(copied.error().message, HasSubstr("encrypted"));
  }
}

// A source of more than is read at once, in pieces; it is cut off as soon as there is progress, in each way of copying.
class CutOffTest : public CopyImageTest, public testing::WithParamInterface<std::tuple<const char*, const char*>> {
 protected:
  CutOffTest() {
    qemu_img({"create", "-q", "-f", format(), at("a"), "64M"});
    std::vector<std::string> writes;
    for (int i = 0; i < 128; ++i) writes.push_back(fmt::format("write -q -P {} {}k 64k", i + 1, (127 - i) * 512));
    qemu_io(at("a"), format(), writes);
    limiter_.set_rate(4U << 20U);
  }
  static std::string format() { return std::get<0>(GetParam()); }
  static std::string way() { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(InEachWay, CutOffTest,
                         testing::Combine(testing::Values("qcow2", "raw"),
                                          testing::Values("Plain", "ToRaw", "Compressed", "NotHashed")),
                         [](const auto& tested) {
                           return fmt::format("{}{}", std::get<0>(tested.param), std::get<1>(tested.param));
                         });

TEST_P(CutOffTest, IsNamedAndLeavesNothing) {
  const auto cut = [&](std::uint64_t) { std::filesystem::resize_file(at("a"), 1U << 20U); };
  const auto copied = copy_image({.source = at("a"),
                                  .source_format = format(),
                                  .target = at("copy"),
                                  .target_format = way() == "ToRaw" ? "raw" : "qcow2",
                                  .resources = {buffers_, limiter_},
                                  .is_compressed = way() == "Compressed",
                                  .is_hashed = way() != "NotHashed"},
                                 {}, cut);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt) << copied.error().describe();
  EXPECT_THAT(copied.error().message, HasSubstr(at("a").native()));
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

}  // namespace
}  // namespace cohort::disk
