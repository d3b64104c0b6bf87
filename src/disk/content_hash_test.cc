#include "disk/content_hash.h"

#include <gmock/gmock.h>

#include "disk/test_images.h"

namespace cohort::disk {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kSize = 8 * kBlockBytes;

std::string hash_of(char block) { return Sha256::of(std::string(kBlockBytes, block)); }

class ContentHashTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  // A list of a disk with these blocks, '.' for one that is zero.
  BlockHashList list_of(const std::string& blocks, const std::string& name) {
    auto hash = ContentHash::of_all(kSize, at(name)).value();
    return {at(name), add_all(hash, blocks)};
  }

  // ' ' for one that is not told.
  static std::string add_all(ContentHash& hash, const std::string& blocks) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (blocks[i] == ' ') continue;
      EXPECT_TRUE(hash.add(i * kBlockBytes, blocks[i] == '.' ? std::string() : hash_of(blocks[i])));
    }
    const auto done = hash.finish();
    EXPECT_TRUE(done) << done.error().describe();
    hash.keep();
    return done ? done->content_hash : std::string();
  }

  // The error of reading a list of this text.
  Error error_of(const std::string& text) {
    write_content(at("broken"), text);
    auto reader = BlockHashReader::open({at("broken"), Sha256::of("x")}, kSize);
    if (!reader) return reader.error();
    while (true) {
      const auto block = reader->next();
      if (!block) return block.error();
      if (!*block) return Error{ErrorCode::kInternal, "It was read.", {}, {}};
    }
  }

  TemporaryFolder folder_;
};

TEST_F(ContentHashTest, IsTheHashOfItsList) {
  const auto list = list_of("ab..c", "list");
  EXPECT_EQ(sha256sum(list.file), list.content_hash);
  EXPECT_EQ(content_of(list.file),
            fmt::format("{}\n0 {}\n65536 {}\n262144 {}\n", kSize, hash_of('a'), hash_of('b'), hash_of('c')));
}

TEST_F(ContentHashTest, OfALaterStateIsToldByWhatChanged) {
  const auto parent = list_of("abcd..ef", "parent");
  BlockMap cleared;
  ASSERT_TRUE(cleared.add(1, 2));
  ASSERT_TRUE(cleared.add(4, 5));
  ASSERT_TRUE(cleared.add(7, 8));
  auto hash = ContentHash::of_changed(kSize, at("child"), parent, cleared).value();
  const std::string changed = add_all(hash, "x  . y  ");
  EXPECT_EQ(changed, list_of("x.c..ye.", "whole").content_hash);
  EXPECT_EQ(content_of(at("child")), content_of(at("whole")));
}

TEST_F(ContentHashTest, LeavesNoListUnlessItIsKept) {
  {
    auto hash = ContentHash::of_all(kSize, at("list")).value();
    EXPECT_TRUE(hash.finish());
  }
  EXPECT_FALSE(std::filesystem::exists(at("list")));
}

TEST_F(ContentHashTest, NoticesAParentsListThatIsAnother) {
  auto parent = list_of("abc", "parent");
  std::string text = content_of(parent.file);
  text[text.size() - 2] = text[text.size() - 2] == '0' ? '1' : '0';
  write_content(parent.file, text);
  const BlockMap none;
  auto hash = ContentHash::of_changed(kSize, {}, parent, none);
  ASSERT_TRUE(hash);
  const auto done = hash->finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(done.error().message, HasSubstr(parent.file.string()));
}

TEST_F(ContentHashTest, RefusesAListOfADiskOfAnotherSize) {
  const auto parent = list_of("abc", "parent");
  const BlockMap none;
  EXPECT_EQ(ContentHash::of_changed(kSize * 2, {}, parent, none).error().code, ErrorCode::kCorrupt);
}

TEST_F(ContentHashTest, RefusesListsThatAreNone) {
  const std::string head = std::to_string(kSize) + "\n";
  const std::string hash = hash_of('a');
  for (const std::string& text :
       {std::string(), std::string("\n"), std::to_string(kSize), "0" + head, head + "\n", head + "0 " + hash,
        head + "0  " + hash + "\n", head + "-0 " + hash + "\n", head + "1 " + hash + "\n", head + "00 " + hash + "\n",
        head + std::to_string(kSize) + " " + hash + "\n", head + "65536 " + hash + "\n0 " + hash + "\n",
        head + "0 " + hash + "\n0 " + hash + "\n", head + "0 " + hash.substr(1) + "\n",
        head + "0 A" + hash.substr(1) + "\n", head + std::string(3 << 20, 'x'), head + "0 " + hash + "\n"}) {
    EXPECT_EQ(error_of(text).code, ErrorCode::kCorrupt) << text.substr(0, 200);
  }
}

}  // namespace
}  // namespace cohort::disk
