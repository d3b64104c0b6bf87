// Copies that are the difference from an earlier one, and the disk that a chain of them makes.
#include <gmock/gmock.h>

#include "disk/copy_image.h"
#include "disk/random_images.h"

namespace cohort::disk {
namespace {

using testing::HasSubstr;

class CopySinceTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  // Copies the image to "<name>.qcow2" with the list "<name>.hashes".
  CopiedImage copy(const Path& image, const std::string& name, std::optional<ImageBase> base = {},
                   bool is_compressed = false) {
    const auto copied = copy_image({.source = image,
                                    .source_format = "qcow2",
                                    .target = at(name + ".qcow2"),
                                    .target_format = "qcow2",
                                    .resources = {buffers_, limiter_},
                                    .is_compressed = is_compressed,
                                    .block_hashes = at(name + ".hashes"),
                                    .base = std::move(base)},
                                   {}, {});
    EXPECT_TRUE(copied) << copied.error().describe();
    expect_sound(at(name + ".qcow2"));
    return copied ? *copied : CopiedImage{};
  }
  // What `frozen` was copied to.
  ImageBase base(const Path& frozen, const std::string& name, const CopiedImage& copied) {
    return {frozen, {name + ".qcow2", "qcow2", copied.virtual_size}, {at(name + ".hashes"), copied.content_hash}};
  }

  Path overlay(const std::string& name, const Path& below, const std::vector<std::string>& commands) {
    qemu_img({"create", "-q", "-f", "qcow2", "-b", below, "-F", "qcow2", at(name)});
    qemu_io(at(name), "qcow2", commands);
    return at(name);
  }

  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
};

TEST_F(CopySinceTest, MakesAChainThatIsTheDisk) {
  const Path monday = make_qcow2(at("monday disk"));
  const Path tuesday = overlay("tuesday disk", monday, {"write -P 9 2M 100k", "discard 0 64k", "write -z 3M 64k"});
  const Path wednesday = overlay("wednesday disk", tuesday, {"write -P 8 2M 64k", "write -P 7 512k 4k"});
  const auto first = copy(monday, "monday");
  const auto second = copy(tuesday, "tuesday", base(monday, "monday", first));
  const auto third = copy(wednesday, "wednesday", base(tuesday, "tuesday", second), true);
  const auto whole = copy(wednesday, "whole");
  EXPECT_EQ(third.content_hash, whole.content_hash);
  EXPECT_EQ(content_of(at("wednesday.hashes")), content_of(at("whole.hashes")));
  EXPECT_EQ(sha256sum(at("wednesday.hashes")), third.content_hash);
  EXPECT_EQ(third.hashes_size, std::filesystem::file_size(at("wednesday.hashes")));
  EXPECT_TRUE(are_identical(wednesday, "qcow2", at("wednesday.qcow2"), "qcow2"));
  EXPECT_LT(second.file_size, 10 * kBlockBytes);
  const auto listed =
      copy_listed({{{at("wednesday.qcow2"), "qcow2"}, {at("tuesday.qcow2"), "qcow2"}, {at("monday.qcow2"), "qcow2"}},
                   at("listed"),
                   "qcow2",
                   {buffers_, limiter_}},
                  {}, {});
  ASSERT_TRUE(listed) << listed.error().describe();
  EXPECT_EQ(listed->content_hash, whole.content_hash);
  expect_sound(at("listed"));
  EXPECT_TRUE(are_identical(wednesday, "qcow2", at("listed"), "qcow2"));
}

TEST_F(CopySinceTest, SkipsNothingOfTwoNights) {
  const Path monday = make_qcow2(at("monday disk"));
  const Path tuesday = overlay("tuesday disk", monday, {"write -P 9 2M 100k"});
  const Path wednesday = overlay("wednesday disk", tuesday, {"write -P 8 6M 64k"});
  const auto copied = copy(wednesday, "both", base(monday, "monday", copy(monday, "monday")));
  EXPECT_EQ(copied.content_hash, copy(wednesday, "whole").content_hash);
}

TEST_F(CopySinceTest, ReadsOnlyTheImagesThatAreListed) {
  const Path top = make_qcow2(at("top"));
  qemu_img({"rebase", "-u", "-f", "qcow2", "-F", "raw", "-b", "/nonexistent/of the host", top});
  const Path below = make_qcow2(at("below"));
  EXPECT_TRUE(measure_listed({{top, "qcow2"}, {below, "qcow2"}}, "qcow2"));
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=" + at("data").native(), at("foreign"), "8M"});
  const auto refused = measure_listed({{top, "qcow2"}, {at("foreign"), "qcow2"}}, "qcow2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
}

TEST_F(CopySinceTest, IsUnsupportedWhereItCannotBeToldWhatChanged) {
  const Path monday = make_qcow2(at("monday disk"));
  const auto first = copy(monday, "monday");
  const auto expect_unsupported = [&](const Path& source, const std::string& format, const ImageBase& since,
                                      const std::string& words) {
    const auto measured = measure_difference(source, format, since);
    ASSERT_FALSE(measured);
    EXPECT_EQ(measured.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(measured.error().message, HasSubstr(words));
  };
  const ImageBase since = base(monday, "monday", first);
  expect_unsupported(make_qcow2(at("other")), "qcow2", since, "does not stand on");
  qemu_img({"create", "-q", "-f", "qcow2", "-b", monday, "-F", "qcow2", at("larger"), "16M"});
  expect_unsupported(at("larger"), "qcow2", since, "8388608 bytes and has 16777216");
  qemu_img({"create", "-q", "-f", "vmdk", at("vmdk"), "8M"});
  expect_unsupported(at("vmdk"), "vmdk", since, "without QEMU");
}

TEST_F(CopySinceTest, LeavesNothingOfACopyWhoseBaseIsDamaged) {
  const Path monday = make_qcow2(at("monday disk"));
  const Path tuesday = overlay("tuesday disk", monday, {"write -P 9 2M 100k"});
  ImageBase since = base(monday, "monday", copy(monday, "monday"));
  since.hashes.content_hash = std::string(64, '0');
  const auto copied = copy_image({.source = tuesday,
                                  .source_format = "qcow2",
                                  .target = at("tuesday.qcow2"),
                                  .target_format = "qcow2",
                                  .resources = {buffers_, limiter_},
                                  .block_hashes = at("tuesday.hashes"),
                                  .base = since},
                                 {}, {});
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(std::filesystem::exists(at("tuesday.qcow2")));
  EXPECT_FALSE(std::filesystem::exists(at("tuesday.hashes")));
}

}  // namespace
}  // namespace cohort::disk
