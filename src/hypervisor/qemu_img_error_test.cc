#include "hypervisor/qemu_img_error.h"

#include <gmock/gmock.h>

namespace cohort::hypervisor {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(QemuImgError, HasTheCodeAndTheRemedyOfItsCause) {
  const Error full = qemu_img_error("It failed.", "qemu-img: error while writing: No space left on device");
  EXPECT_EQ(full.code, ErrorCode::kNoSpace);
  EXPECT_THAT(full.message, StartsWith("It failed. "));
  EXPECT_THAT(full.message, HasSubstr("make room"));
  EXPECT_THAT(full.cause, HasSubstr("No space left"));
  EXPECT_EQ(qemu_img_error("x", "Disk quota exceeded").code, ErrorCode::kNoSpace);
  EXPECT_EQ(qemu_img_error("x", "Read-only file system").code, ErrorCode::kPermission);
  EXPECT_EQ(qemu_img_error("x", "Input/output error").code, ErrorCode::kIo);
}

TEST(QemuImgError, TellsAnImageThatIsHeld) {
  EXPECT_EQ(qemu_img_error("x", "Failed to get \"write\" lock\nIs another process using the image?").code,
            ErrorCode::kInUse);
}

TEST(QemuImgError, LeavesWordsThatItDoesNotKnowToTheReader) {
  const Error other = qemu_img_error("It failed.", "Something else");
  EXPECT_EQ(other.code, ErrorCode::kIo);
  EXPECT_EQ(other.message, "It failed.");
  EXPECT_EQ(other.cause, "Something else");
}

}  // namespace
}  // namespace cohort::hypervisor
