#include "disk/chain.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using testing::HasSubstr;

class ChainTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }
  void overlay(const std::string& name, const std::string& backing, const std::string& format) {
    qemu_img({"create", "-q", "-f", "qcow2", "-b", backing, "-F", format, at(name), "8M"});
  }

  // An overlay as older tools make it: qemu-img of today insists on the format.
  void overlay_without_format(const std::string& name, const std::string& backing) {
    qemu_img({"create", "-q", "-f", "qcow2", "-u", "-b", backing, "-F", "raw", at(name), "8M"});
    std::string content = content_of(at(name));
    content.replace(content.find("\xe2\x79\x2a\xca"), 4, "\x01\x02\x03\x04");
    write_content(at(name), content);
  }

  TemporaryFolder folder_;
};

TEST_F(ChainTest, FollowsRelativeBackingFilesToTheEnd) {
  make_qcow2(at("base.qcow2"));
  overlay("middle.qcow2", "base.qcow2", "qcow2");
  overlay("top.qcow2", "middle.qcow2", "qcow2");
  const auto chain = read_chain(at("top.qcow2"), "qcow2");
  ASSERT_TRUE(chain) << chain.error().describe();
  ASSERT_EQ(chain->layers.size(), 3U);
  EXPECT_EQ(chain->layers[2].path, at("base.qcow2"));
  EXPECT_FALSE(chain->goes_on);
}

TEST_F(ChainTest, NamesTheBackingFileThatIsMissing) {
  make_qcow2(at("base.qcow2"));
  overlay("top.qcow2", "base.qcow2", "qcow2");
  std::filesystem::remove(at("base.qcow2"));
  const auto chain = read_chain(at("top.qcow2"), "qcow2");
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(chain.error().message, HasSubstr("base.qcow2"));
}

TEST_F(ChainTest, EndsAChainThatGoesInACircle) {
  qemu_img({"create", "-q", "-f", "qcow2", "-u", "-b", "top.qcow2", "-F", "qcow2", at("top.qcow2"), "8M"});
  const auto chain = read_chain(at("top.qcow2"), "qcow2");
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, ErrorCode::kCorrupt);
}

TEST_F(ChainTest, TakesABackingFileOfUnrecordedFormatByItsFirstBytes) {
  make_qcow2(at("base.qcow2"));
  write_content(at("base.raw"), std::string(1U << 20U, 'x'));
  for (const std::string format : {"qcow2", "raw"}) {
    overlay_without_format("top", "base." + format);
    const auto chain = read_chain(at("top"), "qcow2");
    ASSERT_TRUE(chain) << chain.error().describe();
    EXPECT_EQ(chain->layers.at(1).format, format);
  }
}

TEST_F(ChainTest, DoesNotFollowFilesThatAGuestCouldHaveNamed) {
  qemu_img({"create", "-q", "-f", "qcow2", "-u", "-b", "/etc/passwd", "-F", "raw", at("base"), "8M"});
  overlay_without_format("top.qcow2", "base");
  const auto chain = read_chain(at("top.qcow2"), "qcow2");
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, ErrorCode::kInvalidState);
}

TEST_F(ChainTest, TakesRawForRawWhateverItsFirstBytesSay) {
  make_qcow2(at("inside.raw"));
  const auto chain = read_chain(at("inside.raw"), "raw");
  ASSERT_TRUE(chain);
  EXPECT_FALSE(chain->layers[0].header);
}

TEST_F(ChainTest, LeavesProtocolNamesToQemu) {
  qemu_img({"create", "-q", "-f", "qcow2", "-u", "-b", "nbd://localhost/x", "-F", "raw", at("top.qcow2"), "8M"});
  const auto chain = read_chain(at("top.qcow2"), "qcow2");
  ASSERT_TRUE(chain) << chain.error().describe();
  EXPECT_EQ(chain->layers.size(), 1U);
  EXPECT_TRUE(chain->goes_on);
}

// Which file that is, QEMU decides by the folder that it was started in.
TEST_F(ChainTest, RefusesADataFileThatIsNamedWithoutItsFolder) {
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=" + at("data").native(), at("base"), "8M"});
  overlay("top", "base", "qcow2");
  ASSERT_TRUE(read_chain(at("top"), "qcow2"));
  std::string content = content_of(at("base"));
  content[content.find(at("data").native())] = 'x';
  write_content(at("base"), content);
  const auto chain = read_chain(at("top"), "qcow2");
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(chain.error().message, HasSubstr("qemu-img amend"));
}

TEST_F(ChainTest, RefusesAFormatThatIsNoName) {
  const auto chain = read_chain(at("x"), "raw,file.driver=nbd");
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ChainTest, RefusesAPipe) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  const auto chain = read_chain(at("pipe"), "raw");
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, ErrorCode::kUnsupported);
}

TEST_F(ChainTest, SeesALayerThatIsCutOff) {
  make_qcow2(at("base.qcow2"));
  overlay("top.qcow2", "base.qcow2", "qcow2");
  ASSERT_TRUE(read_chain(at("top.qcow2"), "qcow2"));
  for (const std::uintmax_t length : {1'000'000U, 300'000U, 100'000U}) {
    std::filesystem::resize_file(at("base.qcow2"), length);
    const auto chain = read_chain(at("top.qcow2"), "qcow2");
    ASSERT_FALSE(chain) << length;
    EXPECT_EQ(chain.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(chain.error().message, HasSubstr("base.qcow2"));
  }
}

// Every kind of cluster there is, in whole files, so that nothing sound is refused.
TEST_F(ChainTest, TakesWholeImagesOfEveryKind) {
  make_qcow2(at("plain"), "8000000");
  const std::vector<std::vector<std::string>> kinds{
      {"-c"},
      {"-o", "extended_l2=on"},
      {"-o", "cluster_size=512"},
      {"-o", "cluster_size=2M"},
      {"-o", "compat=0.10"},
      {"-c", "-o", "compression_type=zstd"},
      {"-c", "-o", "cluster_size=2M"},
      {"-o", "preallocation=metadata"},
      {"-o", "preallocation=falloc"},
  };
  for (const auto& kind : kinds) {
    std::vector<std::string> arguments{"convert", "-f", "qcow2", "-O", "qcow2"};
    arguments.insert(arguments.end(), kind.begin(), kind.end());
    arguments.insert(arguments.end(), {at("plain"), at("copy")});
    qemu_img(arguments);
    const auto chain = read_chain(at("copy"), "qcow2");
    EXPECT_TRUE(chain) << kind.back() << ": " << chain.error().describe();
  }
}

TEST_F(ChainTest, DoublesCommasInOptions) {
  Chain chain;
  chain.layers = {{"/a,b", "qcow2", false, {}}, {"/dev/c", "raw", true, {}}};
  EXPECT_EQ(image_options(chain),
            "driver=qcow2,file.driver=file,file.filename=/a,,b,"
            "backing.driver=raw,backing.file.driver=host_device,backing.file.filename=/dev/c");
}

}  // namespace
}  // namespace cohort::disk
