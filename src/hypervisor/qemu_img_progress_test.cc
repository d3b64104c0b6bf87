#include "hypervisor/qemu_img_progress.h"

#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

TEST(QemuImgProgress, IsTheLastThatWasPrinted) {
  EXPECT_DOUBLE_EQ(read_qemu_img_progress("    (1.00/100%)\r    (12.50/100%)\r").value_or(-1), 0.125);
}

TEST(QemuImgProgress, IsNothingInOtherText) {
  for (const char* text : {"", "Image committed.\n", "(x/100%)", "12.5/100%)", "(/100%)"}) {
    EXPECT_FALSE(read_qemu_img_progress(text)) << text;
  }
}

}  // namespace
}  // namespace cohort::hypervisor
