#include "disk/bitmap.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/big_endian.h"
#include "disk/random_images.h"

namespace cohort::disk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Range> all_of(Result<std::unique_ptr<RangeCursor>> cursor) {
  std::vector<Range> ranges;
  EXPECT_TRUE(cursor) << cursor.error().describe();
  while (cursor) {
    const auto range = (*cursor)->next();
    EXPECT_TRUE(range) << range.error().describe();
    if (!range || !*range) break;
    ranges.push_back(**range);
  }
  return ranges;
}

Chain chain_of(const Path& image) {
  auto chain = read_chain(image, "qcow2");
  EXPECT_TRUE(chain) << chain.error().describe();
  return chain ? *chain : Chain{};
}
ChainLayer layer_of(const Path& image) { return chain_of(image).layers.at(0); }

void add_bitmap(const Path& image, const std::string& name, std::uint64_t granularity) {
  qemu_img({"bitmap", "--add", "-g", fmt::format("{}", granularity), image, name});
}

class BitmapTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  Path make(const std::string& name, const std::string& size, const std::string& options = "cluster_size=64k") {
    qemu_img({"create", "-q", "-f", "qcow2", "-o", options, at(name), size});
    return at(name);
  }
  Path overlay(const std::string& name, const Path& base, const std::string& size) {
    qemu_img({"create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", at(name), size});
    return at(name);
  }

  // What QEMU's NBD server tells of a bitmap.
  std::vector<Range> ranges_by_qemu(const Path& image, const std::string& bitmap) {
    const Path socket = at(fmt::format("nbd{}", sockets_++));
    run({"qemu-nbd", "--fork", "-r", "-f", "qcow2", "-B", bitmap, "-k", socket, image});
    const std::string map =
        run({"qemu-img", "map", "--output=json", "--image-opts",
             fmt::format("driver=nbd,server.type=unix,server.path={},x-dirty-bitmap=qemu:dirty-bitmap:{}",
                         socket.native(), bitmap)});
    std::vector<Range> ranges;
    for (const auto& each : nlohmann::json::parse(map)) {
      if (each["data"].get<bool>()) continue;
      const Range range{each["start"].get<std::uint64_t>(), each["length"].get<std::uint64_t>()};
      if (!ranges.empty() && ranges.back().end() == range.offset) {
        ranges.back().length += range.length;
      } else {
        ranges.push_back(range);
      }
    }
    return ranges;
  }

  TemporaryFolder folder_;
  int sockets_ = 0;
};

TEST_F(BitmapTest, AreNoneInAnImageWithoutThem) {
  const auto bitmaps = list_bitmaps(layer_of(make("image", "8M")));
  ASSERT_TRUE(bitmaps);
  EXPECT_THAT(*bitmaps, IsEmpty());
  EXPECT_EQ(read_bitmap(layer_of(at("image")), "b").error().code, ErrorCode::kNotFound);
}

TEST_F(BitmapTest, AreListedWithWhatTheySay) {
  const Path image = make("image", "8M");
  add_bitmap(image, "first", 65536);
  add_bitmap(image, "zweite ä", 512);
  qemu_img({"bitmap", "--disable", image, "first"});
  const auto bitmaps = list_bitmaps(layer_of(image));
  ASSERT_TRUE(bitmaps) << bitmaps.error().describe();
  ASSERT_EQ(bitmaps->size(), 2U);
  EXPECT_EQ((*bitmaps)[0].name, "first");
  EXPECT_EQ((*bitmaps)[0].granularity, 65536U);
  EXPECT_FALSE((*bitmaps)[0].is_auto);
  EXPECT_EQ((*bitmaps)[0].state, BitmapState::kConsistent);
  EXPECT_EQ((*bitmaps)[1].name, "zweite ä");
  EXPECT_EQ((*bitmaps)[1].granularity, 512U);
  EXPECT_TRUE((*bitmaps)[1].is_auto);
}

TEST_F(BitmapTest, HasWhatWasWrittenSince) {
  const Path image = make("image", "8M");
  qemu_io(image, "qcow2", {"write 0 1M"});
  add_bitmap(image, "b", 65536);
  qemu_io(image, "qcow2", {"write 2M 1", "write -z 3M 128k", "discard 3200k 64k", "write 8388607 1"});
  EXPECT_THAT(all_of(read_bitmap(layer_of(image), "b")),
              ElementsAre(Range{2 << 20, 65536}, Range{3 << 20, 196608}, Range{(8 << 20) - 65536, 65536}));
}

TEST_F(BitmapTest, EndsWhereTheDiskDoes) {
  const Path image = make("image", "1000448");
  add_bitmap(image, "b", 1 << 20);
  qemu_io(image, "qcow2", {"write 512 1"});
  EXPECT_THAT(all_of(read_bitmap(layer_of(image), "b")), ElementsAre(Range{0, 1000448}));
}

TEST_F(BitmapTest, SaysWhatQemuSaysOfRandomOnes) {
  for_random_seeds(6, 500, [&](unsigned seed) {
    RandomNumbers random(seed);
    const std::uint64_t size = random.between(1, 100'000) * 512;
    const Path image = make(fmt::format("image{}", seed), fmt::format("{}", size),
                            fmt::format("cluster_size={}", std::uint64_t{1} << random.between(9, 21)));
    add_bitmap(image, "b", std::uint64_t{1} << random.between(9, 22));
    add_bitmap(image, "sum", std::uint64_t{1} << random.between(9, 22));
    std::vector<std::string> writes;
    for (std::uint64_t i = random.between(0, 40); i > 0; --i) {
      const std::uint64_t begin = random.between(0, size / 512 - 1) * 512;
      const std::uint64_t most = random.percent(10) ? size : 200'000;
      writes.push_back(
          fmt::format("write -z -u {} {}", begin, random.between(1, std::min(size - begin, most) / 512) * 512));
    }
    if (!writes.empty()) qemu_io(image, "qcow2", writes);
    qemu_img({"bitmap", "--merge", "b", image, "sum"});
    for (const std::string name : {"b", "sum"}) {
      EXPECT_EQ(all_of(read_bitmap(layer_of(image), name)), ranges_by_qemu(image, name)) << name;
    }
  });
}

// QEMU stores a mark instead of a cluster of the bitmap that is all zeros; 512 bytes of it are 2 MiB of the disk.
TEST_F(BitmapTest, ReadsClustersOfOnesAndZeros) {
  const Path image = make("image", "64M", "cluster_size=512");
  add_bitmap(image, "b", 512);
  qemu_io(image, "qcow2", {"write -z -u 2M 6M", "write -z -u 40M 512"});
  EXPECT_THAT(all_of(read_bitmap(layer_of(image), "b")), ElementsAre(Range{2 << 20, 6 << 20}, Range{40 << 20, 512}));
}

TEST_F(BitmapTest, IsUnitedOverTheChain) {
  const Path base = make("base", "8M");
  add_bitmap(base, "b", 65536);
  qemu_io(base, "qcow2", {"write 0 64k", "write 1M 64k"});
  const Path top = overlay("top", base, "8M");
  add_bitmap(top, "b", 4096);
  qemu_io(top, "qcow2", {"write 60k 8k", "write 4M 4k"});
  EXPECT_THAT(all_of(read_bitmap(chain_of(top), "b")),
              ElementsAre(Range{0, 69632}, Range{1 << 20, 65536}, Range{4 << 20, 4096}));
}

// A letter for each sector: 'x' in a range.
std::string field_of(const std::vector<Range>& ranges, std::uint64_t size) {
  std::string field(size / 512, '.');
  for (const Range& range : ranges) {
    std::fill_n(field.begin() + static_cast<std::ptrdiff_t>(range.offset / 512), range.length / 512, 'x');
  }
  return field;
}

// A chain of which the upper images, or all, have a bitmap of their own granularity.
class RandomBitmaps : public BitmapTest {
 protected:
  // Makes the image, on the top one if there is any, and writes to it.
  void add_layer(RandomNumbers& random, bool has_bitmap) {
    const std::string options = fmt::format("cluster_size={}", std::uint64_t{1} << random.between(9, 21));
    const Path image = at(fmt::format("layer{}", made_++));
    std::vector<std::string> arguments{"create", "-q", "-f", "qcow2", "-o", options};
    if (!layers_.empty()) arguments.insert(arguments.end(), {"-b", layers_.back(), "-F", "qcow2"});
    arguments.insert(arguments.end(), {image, fmt::format("{}", size_)});
    qemu_img(arguments);
    layers_.push_back(image);
    if (has_bitmap) add_bitmap(image, "b", std::uint64_t{1} << random.between(9, 22));
    std::vector<std::string> writes;
    for (std::uint64_t i = random.between(1, 20); i > 0; --i) writes.push_back(random_write(random));
    qemu_io(image, "qcow2", writes);
  }
  std::string random_write(RandomNumbers& random) const {
    const std::uint64_t begin = random.between(0, size_ / 512 - 1) * 512;
    const std::uint64_t length = random.between(1, std::min<std::uint64_t>(size_ - begin, 300'000) / 512) * 512;
    return fmt::format("write -z -u {} {}", begin, length);
  }

  std::uint64_t size_ = 0;
  std::vector<Path> layers_;
  int made_ = 0;
};

TEST_F(RandomBitmaps, AreUnitedAsTheyAreTogetherForQemu) {
  for_random_seeds(3, 300, [&](unsigned seed) {
    RandomNumbers random(seed);
    layers_.clear();
    size_ = random.between(1, 100'000) * 512;
    const std::uint64_t depth = random.between(2, 4);
    const std::uint64_t lowest = random.between(0, depth - 1);
    std::vector<Range> by_qemu;
    for (std::uint64_t i = 0; i < depth; ++i) {
      add_layer(random, i >= lowest);
      if (i < lowest) continue;
      const auto of_layer = ranges_by_qemu(layers_.back(), "b");
      by_qemu.insert(by_qemu.end(), of_layer.begin(), of_layer.end());
    }
    const auto ours = all_of(read_bitmap(chain_of(layers_.back()), "b"));
    EXPECT_TRUE(field_of(ours, size_) == field_of(by_qemu, size_)) << depth << " images from " << lowest << " on";
    for (std::size_t i = 1; i < ours.size(); ++i) EXPECT_LT(ours[i - 1].end(), ours[i].offset);
  });
}

TEST_F(BitmapTest, IsRefusedIfAnOverlayLacksIt) {
  const Path base = make("base", "8M");
  add_bitmap(base, "b", 65536);
  const auto ranges = read_bitmap(chain_of(overlay("top", base, "8M")), "b");
  ASSERT_FALSE(ranges);
  EXPECT_EQ(ranges.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(ranges.error().message, HasSubstr("above it does not"));
}

TEST_F(BitmapTest, IsRefusedIfTheDiskWasResized) {
  const Path base = make("base", "8M");
  add_bitmap(base, "b", 65536);
  const Path top = overlay("top", base, "9M");
  add_bitmap(top, "b", 65536);
  const auto ranges = read_bitmap(chain_of(top), "b");
  ASSERT_FALSE(ranges);
  EXPECT_THAT(ranges.error().message, HasSubstr("resized"));
}

TEST_F(BitmapTest, IsInUseAfterACrashOfQemu) {
  const Path image = make("image", "8M");
  add_bitmap(image, "b", 65536);
  static_cast<void>(run_process({"qemu-io", "-f", "qcow2", "-c", "write 0 64k", "-c", "abort", image}));
  const auto bitmaps = list_bitmaps(layer_of(image));
  ASSERT_TRUE(bitmaps && bitmaps->size() == 1U);
  EXPECT_EQ(bitmaps->front().state, BitmapState::kInUse);
  const auto ranges = read_bitmap(layer_of(image), "b");
  ASSERT_FALSE(ranges);
  EXPECT_EQ(ranges.error().code, ErrorCode::kInvalidState);
  EXPECT_THAT(ranges.error().message, HasSubstr("not closed"));
}

// An image with the bitmaps "b" and "c", of which bytes are changed.
class DamagedBitmapTest : public BitmapTest {
 protected:
  DamagedBitmapTest() {
    static const std::string sound = made();
    bytes_ = sound;
    extension_ = bytes_.find("\x23\x85\x28\x75") + 8;
    directory_ = big_endian<std::uint64_t>(bytes_, extension_ + 16);
    table_ = big_endian<std::uint64_t>(bytes_, directory_);
  }

  std::string made() {
    const Path image = make("image", "8M");
    add_bitmap(image, "b", 65536);
    add_bitmap(image, "c", 65536);
    qemu_io(image, "qcow2", {"write 0 64k"});
    return content_of(image);
  }

  template <typename Number>
  void put(std::size_t offset, Number value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      bytes_[offset + i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)));
    }
  }

  // The first error on the way.
  Error error() {
    write_content(at("image"), bytes_);
    auto cursor = read_bitmap(layer_of(at("image")), "b");
    if (!cursor) return cursor.error();
    const auto range = (*cursor)->next();
    return range ? make_error(ErrorCode::kInternal, "no error") : range.error();
  }
  void expect(ErrorCode code, const std::string& message) {
    const Error found = error();
    EXPECT_EQ(found.code, code);
    EXPECT_THAT(found.message, HasSubstr(message));
    EXPECT_THAT(found.message, HasSubstr("image"));
  }

  std::string bytes_;
  std::size_t extension_ = 0;
  std::size_t directory_ = 0;
  std::size_t table_ = 0;
};

// QEMU reads this mark, but never writes it.
TEST_F(DamagedBitmapTest, ReadsTheMarkForAllOnes) {
  put<std::uint64_t>(table_, 1);
  write_content(at("image"), bytes_);
  EXPECT_THAT(all_of(read_bitmap(layer_of(at("image")), "b")), ElementsAre(Range{0, 8 << 20}));
  EXPECT_THAT(ranges_by_qemu(at("image"), "b"), ElementsAre(Range{0, 8 << 20}));
}

TEST_F(DamagedBitmapTest, IsStaleIfAnotherProgramWrote) {
  put<std::uint64_t>(88, 0);
  expect(ErrorCode::kInvalidState, "out of date");
}

TEST_F(DamagedBitmapTest, IsUnsupportedWithUnknownFlags) {
  put<std::uint32_t>(directory_ + 12, 8);
  expect(ErrorCode::kUnsupported, "not known");
}

TEST_F(DamagedBitmapTest, IsUnsupportedIfOfAnotherType) {
  put<std::uint8_t>(directory_ + 16, 2);
  expect(ErrorCode::kUnsupported, "not known");
}

// Two entries of 32 bytes each become one of 64 with extra data, and the name "b" after it.
TEST_F(DamagedBitmapTest, IsReadWithExtraDataThatIsHarmless) {
  put<std::uint32_t>(extension_, 1);
  put<std::uint32_t>(directory_ + 20, 32);
  bytes_[directory_ + 24 + 32] = 'b';
  expect(ErrorCode::kUnsupported, "not known");
  put<std::uint32_t>(directory_ + 12, 4);
  EXPECT_EQ(error().message, "no error");
}

TEST_F(DamagedBitmapTest, IsRefusedIfTheDirectoryIsOutsideTheFile) {
  put<std::uint64_t>(extension_ + 16, 1UL << 40U);
  expect(ErrorCode::kCorrupt, "directory of bitmaps");
}

TEST_F(DamagedBitmapTest, IsRefusedIfTheDirectoryIsHuge) {
  put<std::uint64_t>(extension_ + 8, 1UL << 40U);
  expect(ErrorCode::kCorrupt, "too large");
}

TEST_F(DamagedBitmapTest, IsRefusedIfThereAreMoreThanTheDirectoryHolds) {
  put<std::uint32_t>(extension_, 3);
  expect(ErrorCode::kCorrupt, "within an entry");
}

TEST_F(DamagedBitmapTest, IsRefusedIfThereAreFewerThanTheDirectoryHolds) {
  put<std::uint32_t>(extension_, 1);
  expect(ErrorCode::kCorrupt, "of 1 bitmaps ends at");
}

TEST_F(DamagedBitmapTest, IsRefusedIfExtraDataLeavesTheDirectory) {
  put<std::uint32_t>(directory_ + 20, 0xffffffff);
  expect(ErrorCode::kCorrupt, "within an entry");
}

TEST_F(DamagedBitmapTest, IsRefusedIfTwoHaveOneName) {
  bytes_[directory_ + 32 + 24] = 'b';
  expect(ErrorCode::kCorrupt, "two bitmaps");
}

TEST_F(DamagedBitmapTest, IsRefusedWithAnImpossibleGranularity) {
  put<std::uint8_t>(directory_ + 17, 64);
  expect(ErrorCode::kCorrupt, "granularity");
}

TEST_F(DamagedBitmapTest, IsRefusedIfItsTableIsTooSmall) {
  put<std::uint32_t>(directory_ + 8, 0);
  expect(ErrorCode::kCorrupt, "disk needs 1");
}

TEST_F(DamagedBitmapTest, IsRefusedIfItsTableIsOutsideTheFile) {
  put<std::uint64_t>(directory_, 0xfffffffffffffff8);
  expect(ErrorCode::kCorrupt, "not within the file");
}

TEST_F(DamagedBitmapTest, IsRefusedIfItsDataIsOutsideTheFile) {
  put<std::uint64_t>(table_, 1UL << 40U);
  expect(ErrorCode::kCorrupt, "data of a bitmap");
}

TEST_F(DamagedBitmapTest, IsRefusedIfATableEntryIsNotPossible) {
  for (const std::uint64_t entry : {0x8000000000000001UL, 0x2UL, 0x10001UL, 0x10200UL}) {
    put<std::uint64_t>(table_, entry);
    expect(ErrorCode::kCorrupt, "is not possible");
  }
}

TEST_F(DamagedBitmapTest, IsRefusedWithAnExtensionOfTheWrongLength) {
  put<std::uint32_t>(extension_ - 4, 16);
  write_content(at("image"), bytes_);
  const auto header = read_qcow2_header(at("image"));
  ASSERT_FALSE(header);
  EXPECT_THAT(header.error().message, HasSubstr("extension for bitmaps"));
}

}  // namespace
}  // namespace cohort::disk
