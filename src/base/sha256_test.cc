#include "base/sha256.h"

#include <gtest/gtest.h>

#include "base/temporary_folder.h"

namespace cohort {
namespace {

// The vectors of FIPS 180-4.
TEST(Sha256, KnownVectors) {
  EXPECT_EQ(Sha256::of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256::of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, FileIsReadInPieces) {
  const TemporaryFolder folder;
  const std::string content(3'000'000, 'x');
  ASSERT_TRUE(create_file(folder.path() / "f", content));
  std::uint64_t seen = 0;
  EXPECT_EQ(sha256_of_file(folder.path() / "f", {}, [&](std::uint64_t n) { seen += n; }).value(), Sha256::of(content));
  EXPECT_EQ(seen, content.size());
}

TEST(Sha256, StopIsHeard) {
  const TemporaryFolder folder;
  ASSERT_TRUE(create_file(folder.path() / "f", "x"));
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(sha256_of_file(folder.path() / "f", source.get_token()).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace cohort
