#include "disk/image_lock.h"

#include <gmock/gmock.h>

#include "disk/open_image_in_qemu.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using testing::HasSubstr;

class ImageLockTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }
  Result<ImageLock> hold(const Path& image, const std::string& format) {
    const auto chain = read_chain(image, format);
    EXPECT_TRUE(chain) << (chain ? "" : chain.error().describe());
    return ImageLock::hold(*chain);
  }
  bool can_write(const Path& image, const std::string& format) {
    const auto output = run_process({"qemu-io", "-f", format, "-c", "write -q 0 512", image});
    return output && output->exit_status == 0 && output->err.empty();
  }

  TemporaryFolder folder_;
};

TEST_F(ImageLockTest, KeepsQemuFromWritingToAnyLayerAsLongAsItIsHeld) {
  write_content(at("base"), std::string(1U << 20U, 'x'));
  qemu_img({"create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", at("top")});
  {
    const auto lock = hold(at("top"), "qcow2");
    ASSERT_TRUE(lock) << lock.error().describe();
    EXPECT_FALSE(can_write(at("base"), "raw"));
    EXPECT_FALSE(can_write(at("top"), "qcow2"));
  }
  EXPECT_TRUE(can_write(at("base"), "raw"));
  EXPECT_TRUE(can_write(at("top"), "qcow2"));
}

TEST_F(ImageLockTest, KeepsQemuFromGrowingAnImage) {
  make_qcow2(at("a"));
  const auto lock = hold(at("a"), "qcow2");
  ASSERT_TRUE(lock);
  const auto resized = run_process({"qemu-img", "resize", "-f", "qcow2", at("a"), "16M"});
  ASSERT_TRUE(resized);
  EXPECT_NE(resized->exit_status, 0);
}

TEST_F(ImageLockTest, BearsOtherReaders) {
  make_qcow2(at("a"));
  const auto lock = hold(at("a"), "qcow2");
  const auto second = hold(at("a"), "qcow2");
  EXPECT_TRUE(lock && second);
  qemu_img({"convert", "-f", "qcow2", "-O", "raw", at("a"), at("b")});
}

TEST_F(ImageLockTest, BearsAMachineThatStandsOnTheImage) {
  make_qcow2(at("base"));
  qemu_img({"create", "-q", "-f", "qcow2", "-b", "base", "-F", "qcow2", at("top")});
  {
    const OpenImage machine(at("top"), "qcow2");
    EXPECT_TRUE(hold(at("base"), "qcow2"));
  }
  const auto lock = hold(at("base"), "qcow2");
  ASSERT_TRUE(lock);
  EXPECT_TRUE(can_write(at("top"), "qcow2"));
}

TEST_F(ImageLockTest, IsRefusedWhileSomebodyWrites) {
  write_content(at("base"), std::string(1U << 20U, 'x'));
  qemu_img({"create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", at("top")});
  const OpenImage writer(at("base"), "raw");
  const auto lock = hold(at("top"), "qcow2");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::kInUse);
  EXPECT_THAT(lock.error().message, HasSubstr(at("base").native()));
}

TEST_F(ImageLockTest, CoversExternalDataFiles) {
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "data_file=" + at("data").native(), at("a"), "1M"});
  const auto lock = hold(at("a"), "qcow2");
  ASSERT_TRUE(lock);
  EXPECT_FALSE(can_write(at("data"), "raw"));
}

}  // namespace
}  // namespace cohort::disk
