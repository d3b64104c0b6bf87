#include "disk/copy_image.h"

#include <gmock/gmock.h>

#include "disk/qcow2_header.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

class CopyImageTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

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

TEST_F(CopyImageTest, NamesAFileThatIsCutOffWhileItIsCopied) {
  qemu_img({"create", "-q", "-f", "qcow2", at("a"), "64M"});
  std::vector<std::string> writes;
  for (int i = 0; i < 64; ++i) writes.push_back(fmt::format("write -q -P {} {}k 64k", i + 1, (63 - i) * 512));
  qemu_io(at("a"), "qcow2", writes);
  limiter_.set_rate(4U << 20U);
  const auto cut = [&](std::uint64_t) { std::filesystem::resize_file(at("a"), 1U << 20U); };
  const auto copied = copy_image({at("a"), "qcow2", at("copy"), "qcow2", {buffers_, limiter_}}, {}, cut);
  ASSERT_FALSE(copied);
  EXPECT_EQ(copied.error().code, ErrorCode::kCorrupt) << copied.error().describe();
  EXPECT_THAT(copied.error().message, testing::HasSubstr(at("a").native()));
  EXPECT_FALSE(std::filesystem::exists(at("copy")));
}

}  // namespace
}  // namespace cohort::disk
