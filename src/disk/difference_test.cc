#include "disk/difference.h"

#include <gmock/gmock.h>

#include "disk/bitmap.h"
#include "disk/changed_since.h"
#include "disk/copy.h"
#include "disk/fake_source.h"
#include "disk/qcow2_header.h"
#include "disk/random_images.h"

namespace cohort::disk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kMiB = 1U << 20U;
constexpr std::uint64_t kGiB = kMiB << 10U;

class ListedRanges : public RangeCursor {
 public:
  explicit ListedRanges(std::vector<Range> ranges) : ranges_(std::move(ranges)) {}
  Result<std::optional<Range>> next() override {
    if (next_ == ranges_.size()) return std::nullopt;
    return ranges_[next_++];
  }

 private:
  std::vector<Range> ranges_;
  std::size_t next_ = 0;
};

class DifferenceTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  static Difference since(Parent parent, std::vector<Range> changed) {
    return {std::move(parent),
            [changed]() -> Result<std::unique_ptr<RangeCursor>> { return std::make_unique<ListedRanges>(changed); }};
  }

  Result<CopiedImage> copy(const DiskSource& source, const Difference& difference) {
    std::filesystem::remove(at("difference"));
    return copy_difference({source, at("difference"), "qcow2", {buffers_, limiter_}}, difference, {}, {});
  }

  // All that is promised but what the disk reads as.
  void expect_copied(const DiskSource& source, const Difference& difference) {
    const auto planned = plan_difference(source, difference);
    const auto copied = copy(source, difference);
    ASSERT_TRUE(planned) << planned.error().describe();
    ASSERT_TRUE(copied) << copied.error().describe();
    EXPECT_EQ(copied->virtual_size, source.virtual_size());
    EXPECT_EQ(copied->file_size, std::filesystem::file_size(at("difference")));
    EXPECT_EQ(copied->file_size, planned->file_size);
    EXPECT_EQ(copied->sha256, sha256sum(at("difference")));
    EXPECT_EQ(copied->content_hash, "");
    qemu_img({"check", "-q", "-f", "qcow2", at("difference")});
  }

  // A disk on a raw parent of other content.
  void expect_right(const FakeSource& source, const std::string& parent, const std::vector<Range>& changed) {
    write_content(at("parent"), parent);
    write_content(at("expected"), source.content());
    expect_copied(source, since({"parent", "raw", parent.size()}, changed));
    EXPECT_TRUE(are_identical(at("expected"), "raw", at("difference"), "qcow2"));
  }

  std::string map() { return run({"qemu-img", "map", "--output=json", "-f", "qcow2", at("difference")}); }

  TemporaryFolder folder_;
  BufferPool buffers_;
  RateLimiter limiter_;
};

TEST_F(DifferenceTest, HasOnlyWhatChanged) {
  FakeSource source(8 * kMiB);
  source.store(0, std::string(2 * kMiB, 'a') + std::string(kMiB, 'n') + std::string(5 * kMiB, 'a'));
  expect_right(source, std::string(8 * kMiB, 'a'), {{2 * kMiB, kMiB}});
  EXPECT_LT(std::filesystem::file_size(at("difference")), kMiB + 6 * 65536);
}

TEST_F(DifferenceTest, NamesItsParentFromItsOwnFolderOn) {
  FakeSource source(kMiB);
  source.store(0, "changed");
  expect_right(source, std::string(kMiB, 'a'), {{0, kMiB}});
  const auto header = read_qcow2_header(at("difference"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->backing_file, "parent");
  EXPECT_EQ(header->backing_format, "raw");
}

TEST_F(DifferenceTest, TakesNoPartOfTheParentsNameForAProtocol) {
  FakeSource source(kMiB);
  source.store(0, "changed");
  write_content(at("nbd:parent"), std::string(kMiB, 'a'));
  ASSERT_TRUE(copy(source, since({"nbd:parent", "raw", kMiB}, {{0, 65536}})));
  EXPECT_EQ(read_qcow2_header(at("difference"))->backing_file, "./nbd:parent");
  EXPECT_THAT(run({"qemu-io", "-r", "-f", "qcow2", "-c", "read -P 97 128k 64k", at("difference")}),
              HasSubstr("read 65536/65536"));
}

TEST_F(DifferenceTest, RefusesAParentWhoseNameDoesNotFit) {
  const FakeSource source(kMiB);
  for (const std::string& name : {std::string(), std::string(1024, 'x')}) {
    const auto copied = copy(source, since({name, "raw", kMiB}, {}));
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(DifferenceTest, HidesWhatTheParentHasWhereTheDiskReadsZero) {
  FakeSource source(4 * kMiB);
  source.store(0, std::string(kMiB, 'a')).store(3 * kMiB, std::string(kMiB, 'a'));
  expect_right(source, std::string(4 * kMiB, 'a'), {{kMiB, 2 * kMiB}});
  EXPECT_LT(std::filesystem::file_size(at("difference")), 6 * 65536U);
  EXPECT_THAT(map(), HasSubstr(R"("start": 1048576, "length": 2097152, "depth": 0, "present": true, "zero": true)"));
}

TEST_F(DifferenceTest, HasNothingWhereNothingChanged) {
  FakeSource source(2 * kMiB);
  source.store(0, std::string(kMiB, 'a'));
  expect_right(source, std::string(kMiB, 'a') + std::string(kMiB, '\0'), {});
  EXPECT_THAT(map(), testing::Not(HasSubstr(R"("depth": 0)")));
}

TEST_F(DifferenceTest, TakesWholeClustersOfWhichAPartChanged) {
  FakeSource source(kMiB);
  std::string content(kMiB, 'a');
  content.replace(70000, 512, 512, '\0');  // a part that became zero in a cluster that did not
  content.replace(200000, 10, 10, 'n');
  source.store(0, content);
  expect_right(source, std::string(kMiB, 'a'), {{69632, 1024}, {199680, 512}, {200192, 512}});
}

TEST_F(DifferenceTest, MayBeLongerThanItsParent) {
  for (const std::uint64_t parent_size : {kMiB, kMiB + 512, 2 * kMiB - 512}) {
    FakeSource source(4 * kMiB);
    source.store(0, std::string(parent_size, 'a')).store(3 * kMiB, std::string(1000, 'n'));
    expect_right(source, std::string(parent_size, 'a'), {});
    // Past the parent's end nothing has to be hidden.
    EXPECT_LT(std::filesystem::file_size(at("difference")), 8 * 65536U);
  }
}

TEST_F(DifferenceTest, MayBeShorterThanItsParent) {
  for (const std::uint64_t size : {kMiB, kMiB + 512, 2 * kMiB - 512}) {
    FakeSource source(size);
    source.store(0, std::string(kMiB / 2, 'a'));
    expect_right(source, std::string(3 * kMiB, 'a'), {{kMiB / 2, 3 * kMiB}});
  }
}

TEST_F(DifferenceTest, OfAllNeedsNothingOfItsParent) {
  FakeSource source(700 * kMiB);  // more than one L2 table
  source.store(0, std::string(kMiB, 'x')).store(600 * kMiB, std::string(kMiB, 'y'));
  write_content(at("parent"), std::string(8 * kMiB, 'p'));
  std::filesystem::resize_file(at("parent"), 700 * kMiB);
  expect_copied(source, since({"parent", "raw", 700 * kMiB}, {{0, 700 * kMiB}}));
  qemu_io(at("difference"), "qcow2",
          {"read -P 120 0 1M", "read -P 0 1M 9M", "read -P 121 600M 1M", "read -P 0 690M 10M"});
}

TEST_F(DifferenceTest, PassesOnWhatTheChangedRangesFailWith) {
  const FakeSource source(kMiB);
  const Difference difference{{"parent", "raw", kMiB}, []() -> Result<std::unique_ptr<RangeCursor>> {
                                return fail(ErrorCode::kCorrupt, "The bitmap is damaged.");
                              }};
  EXPECT_EQ(copy(source, difference).error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(std::filesystem::exists(at("difference")));
}

TEST_F(DifferenceTest, CostsWhatChangedOnAHugeDisk) {
  FakeSource source(1024 * kGiB);
  std::vector<Range> changed;
  for (std::uint64_t i = 0; i < 64; ++i) {
    source.store(i * 16 * kGiB, std::string(65536, 'd'));
    if (i % 8 == 0) changed.push_back({i * 16 * kGiB, 512});
  }
  qemu_img({"create", "-q", "-f", "qcow2", at("parent"), "1T"});
  expect_copied(source, since({"parent", "qcow2", 1024 * kGiB}, changed));
  EXPECT_LT(std::filesystem::file_size(at("difference")), 24 * 65536U);
}

// Images made by QEMU, and what changed told by one of its bitmaps.
TEST_F(DifferenceTest, FollowsABitmap) {
  const Path image = at("image");
  qemu_img({"create", "-q", "-f", "qcow2", image, "16M"});
  qemu_io(image, "qcow2", {"write -P 1 0 16M"});
  qemu_img({"convert", "-f", "qcow2", "-O", "qcow2", image, at("parent")});
  qemu_img({"bitmap", "--add", "-g", "32k", "-f", "qcow2", image, "since"});
  qemu_io(image, "qcow2", {"write -P 2 1M 40k", "discard 4M 1M", "write -z 8M 100k", "write -P 3 15M 1M"});
  const auto chain = read_chain(image, "qcow2").value();
  const auto source = open_disk(chain).value();
  const Difference difference{{"parent", "qcow2", 16 * kMiB}, [&] { return read_bitmap(chain, "since"); }};
  expect_copied(*source, difference);
  EXPECT_TRUE(are_identical(image, "qcow2", at("difference"), "qcow2"));
  EXPECT_LT(std::filesystem::file_size(at("difference")), 2 * kMiB);
}

class ChangedSinceTest : public DifferenceTest {
 protected:
  static std::vector<Range> all(const Chain& chain, std::size_t layer) {
    std::vector<Range> ranges;
    const auto cursor = changed_since(chain, layer);
    EXPECT_TRUE(cursor) << cursor.error().describe();
    while (cursor) {
      const auto range = (*cursor)->next();
      EXPECT_TRUE(range) << range.error().describe();
      if (!range || !*range) break;
      ranges.push_back(**range);
    }
    return ranges;
  }

  Path overlay(const std::string& name, const Path& below, const std::string& size,
               const std::vector<std::string>& commands) {
    qemu_img({"create", "-q", "-f", "qcow2", "-b", below, "-F", "qcow2", at(name), size});
    if (!commands.empty()) qemu_io(at(name), "qcow2", commands);
    return at(name);
  }
};

TEST_F(ChangedSinceTest, IsWhatTheImagesAboveHave) {
  const Path base = make_qcow2(at("base"));
  const Path middle = overlay("middle", base, "8M", {"write -P 5 1M 64k", "write -z 5M 64k"});
  const Path top = overlay("top", middle, "8M", {"write -P 5 1088k 64k", "discard 6M 64k"});
  const Chain chain = read_chain(top, "qcow2").value();
  EXPECT_THAT(all(chain, 0), ElementsAre());
  EXPECT_THAT(all(chain, 1), ElementsAre(Range{1088 << 10, 65536}, Range{6 * kMiB, 65536}));
  EXPECT_THAT(all(chain, 2), ElementsAre(Range{kMiB, 2 * 65536}, Range{5 * kMiB, 65536}, Range{6 * kMiB, 65536}));
}

TEST_F(ChangedSinceTest, IsWhatAShorterImageBetweenHides) {
  const Path base = make_qcow2(at("base"));
  const Path middle = overlay("middle", base, "4M", {});
  const Path top = overlay("top", middle, "8M", {});
  EXPECT_THAT(all(read_chain(top, "qcow2").value(), 2), ElementsAre(Range{4 * kMiB, 4 * kMiB}));
}

}  // namespace
}  // namespace cohort::disk
