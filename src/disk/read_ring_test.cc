#include "disk/read_ring.h"

#include <gtest/gtest.h>

#include <vector>

#include "disk/file_bytes.h"
#include "disk/test_images.h"

namespace cohort::disk {
namespace {

class ReadRingTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ring_) GTEST_SKIP() << "the kernel refuses io_uring";
    for (std::size_t i = 0; i < 200'000; ++i) content_ += static_cast<char>(i * 7 + i / 256);
    write_content(folder_.path() / "file", content_);
    auto opened = open_image(folder_.path() / "file");
    ASSERT_TRUE(opened);
    fd_ = *std::move(opened);
  }
  // 100 places, more than the ring is deep.
  std::vector<ReadRing::Request> requests() {
    std::vector<ReadRing::Request> all;
    const auto memory = std::as_writable_bytes(std::span(memory_));
    for (std::size_t i = 0; i < 100; ++i) all.push_back({fd_.get(), i * 1777, memory.subspan(i * 1000, 1000)});
    return all;
  }
  void expect_read() {
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(memory_.substr(i * 1000, 1000), content_.substr(i * 1777, 1000));
  }

  TemporaryFolder folder_;
  std::unique_ptr<ReadRing> ring_ = ReadRing::open();
  std::string content_;
  std::string memory_ = std::string(100'000, '?');
  UniqueFd fd_;
};

TEST_F(ReadRingTest, ReadsMoreAtOnceThanItIsDeep) {
  EXPECT_TRUE(ring_->read(requests()));
  expect_read();
}

TEST_F(ReadRingTest, TellsOfAReadThatFailsAndGoesOn) {
  auto broken = requests();
  broken[3].fd = -1;
  EXPECT_FALSE(ring_->read(broken));
  EXPECT_TRUE(ring_->read(requests()));
  expect_read();
}

TEST_F(ReadRingTest, TellsOfAFileThatEndsEarly) {
  auto late = requests();
  late[99].offset = content_.size() - 999;
  EXPECT_FALSE(ring_->read(late));
}

}  // namespace
}  // namespace cohort::disk
