#include "base/sha256_of_parts.h"

#include <gtest/gtest.h>

#include <random>

namespace cohort {
namespace {

std::string random_bytes(std::mt19937& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

class Sha256OfPartsTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !Sha256OfParts::is_one_pass()) GTEST_SKIP() << "the processor has no SHA instructions";
  }
  Sha256OfParts hash_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(InEachWay, Sha256OfPartsTest, testing::Values(false, true),
                         [](const auto& way) { return way.param ? "OnePass" : "TwoPasses"; });

TEST_P(Sha256OfPartsTest, OfNothing) { EXPECT_EQ(hash_.finish(), Sha256::of("")); }

TEST_P(Sha256OfPartsTest, OfPartsThatAreOfEveryLength) {
  std::mt19937 random(1);
  std::string whole;
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string part = random_bytes(random, size);
    whole += part;
    ASSERT_EQ(hash_.update_part(part), Sha256::of(part)) << size;
  }
  EXPECT_EQ(hash_.finish(), Sha256::of(whole));
}

TEST_P(Sha256OfPartsTest, OfWholesThatAreOfEveryLength) {
  std::mt19937 random(2);
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string whole = random_bytes(random, size);
    Sha256OfParts hash(GetParam());
    hash.update(whole);
    ASSERT_EQ(hash.finish(), Sha256::of(whole)) << size;
  }
}

TEST_P(Sha256OfPartsTest, OfBlocksOfADiskBetweenOtherBytes) {
  std::mt19937 random(3);
  std::string whole;
  for (int i = 0; i < 30; ++i) {
    const std::string between = random_bytes(random, 64 * (random() % 100));
    const std::string block = random_bytes(random, 65536);
    hash_.update(between);
    ASSERT_EQ(hash_.update_part(block), Sha256::of(block));
    whole += between + block;
  }
  EXPECT_EQ(hash_.finish(), Sha256::of(whole));
}

// The length is counted in bits, in 64 of them.
TEST_P(Sha256OfPartsTest, OfMoreThanFourGibibit) {
  const std::string block(1U << 24U, 'x');
  Sha256 other;
  for (int i = 0; i < 33; ++i) {
    hash_.update(block);
    other.update(block);
  }
  EXPECT_EQ(hash_.finish(), other.finish());
}

}  // namespace
}  // namespace cohort
