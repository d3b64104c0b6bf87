#include "disk/check.h"

#include <gmock/gmock.h>

#include "disk/qemu_img.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using testing::HasSubstr;

TEST(CheckImageTest, FindsNothingInASoundImage) {
  const TemporaryFolder folder;
  const auto checked = check_image(make_qcow2(folder.path() / "a"), "qcow2", {});
  EXPECT_TRUE(checked) << checked.error().describe();
}

TEST(CheckImageTest, HasNothingToCheckInRaw) {
  const TemporaryFolder folder;
  write_content(folder.path() / "a", "x");
  EXPECT_TRUE(check_image(folder.path() / "a", "raw", {}));
}

TEST(CheckImageTest, FindsDamage) {
  const TemporaryFolder folder;
  const Path path = make_qcow2(folder.path() / "a");
  std::string content = content_of(path);
  // The first refcount block of a new image of 64 KiB clusters is its third cluster.
  for (std::size_t i = 0; i < 32; ++i) content[0x20000 + i] = 0;
  write_content(path, content);
  const auto checked = check_image(path, "qcow2", {});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(checked.error().cause, HasSubstr("refcount"));
}

TEST(CheckImageTest, CountsALeakAsDamage) {
  const TemporaryFolder folder;
  const Path path = make_qcow2(folder.path() / "a");
  std::string content = content_of(path);
  content[0x20000 + 2 * (content.size() / 65536) + 1] = 1;
  write_content(path, content + std::string(65536, 'x'));
  const auto checked = check_image(path, "qcow2", {});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
}

TEST(CheckImageTest, FindsThatItIsNoImage) {
  const TemporaryFolder folder;
  write_content(folder.path() / "a", std::string(100'000, 'x'));
  const auto checked = check_image(folder.path() / "a", "qcow2", {});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
}

TEST(CheckImageTest, SaysThatTheFileIsMissing) {
  EXPECT_EQ(check_image("/nonexistent/a", "qcow2", {}).error().code, ErrorCode::kNotFound);
}

struct Words {
  std::string words;
  ErrorCode code;
};

class QemuImgErrorTest : public testing::TestWithParam<Words> {};

TEST_P(QemuImgErrorTest, HasTheCodeOfItsCause) {
  const Error error = qemu_img_error(GetParam().words, "Copying \"/x\"");
  EXPECT_EQ(error.code, GetParam().code);
  EXPECT_THAT(error.message, HasSubstr("Copying \"/x\" failed."));
  EXPECT_FALSE(error.cause.ends_with('\n'));
}

INSTANTIATE_TEST_SUITE_P(
    All, QemuImgErrorTest,
    testing::Values(
        Words{"qemu-img: error while writing at byte 0: No space left on device\n", ErrorCode::kNoSpace},
        Words{"qemu-img: error while writing at byte 0: Disk quota exceeded\n", ErrorCode::kNoSpace},
        Words{"qemu-img: error while reading at byte 0: Input/output error\n", ErrorCode::kIo},
        Words{"qemu-img: Could not open '/x': Permission denied\n", ErrorCode::kPermission},
        Words{"qemu-img: Could not open '/x': No such file or directory\n", ErrorCode::kNotFound},
        Words{"qemu-img: Could not open '/x': Unknown driver 'y'\n", ErrorCode::kUnsupported},
        Words{"qemu-img: Could not open '/x': Image is not in qcow2 format\n", ErrorCode::kCorrupt},
        Words{"qemu-img: Could not open 'driver=raw': Failed to get shared \"write\" lock\nIs another process using "
              "the image [/x]?\n",
              ErrorCode::kInUse},
        Words{"qemu-img: who knows\n", ErrorCode::kIo}));

TEST(HeldImageTest, NamesTheFileThatIsHeld) {
  EXPECT_THAT(
      qemu_img_error("Failed to get shared \"write\" lock\nIs another process using the image [/a]b]?\n", "X").message,
      HasSubstr("\"/a]b\""));
}

}  // namespace
}  // namespace cohort::disk
