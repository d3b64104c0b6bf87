#include "disk/source.h"

#include <gmock/gmock.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/parallel.h"
#include "disk/random_images.h"

namespace cohort::disk {
namespace {

using testing::ElementsAre;

std::vector<Extent> extents_of(const DiskSource& source) {
  std::vector<Extent> found;
  auto cursor = source.extents();
  EXPECT_TRUE(cursor);
  while (cursor) {
    auto extent = (*cursor)->next();
    if (!extent) ADD_FAILURE() << extent.error().describe();
    if (!extent || !*extent) break;
    found.push_back(**extent);
  }
  return found;
}

void expect_whole(const std::vector<Extent>& extents, std::uint64_t size) {
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < extents.size(); ++i) {
    EXPECT_EQ(extents[i].offset, place);
    EXPECT_GT(extents[i].length, 0U);
    place += extents[i].length;
    Extent before = i == 0 ? Extent{} : extents[i - 1];
    EXPECT_FALSE(i != 0 && join(before, extents[i])) << "not as long as it can be: " << i;
  }
  EXPECT_EQ(place, size);
}

std::string content_of(const DiskSource& source, const std::vector<Extent>& extents) {
  std::string content(source.virtual_size(), '?');
  for (const Extent& extent : extents) {
    const auto into = std::as_writable_bytes(std::span(content)).subspan(extent.offset, extent.length);
    const auto outcome = source.read(extent, 0, into);
    EXPECT_TRUE(outcome) << outcome.error().describe();
  }
  return content;
}

// Pieces of the extents, as a copy with small buffers reads them.
void expect_same_in_pieces(const DiskSource& source, const std::vector<Extent>& extents, const std::string& content,
                           RandomNumbers random) {
  for (int i = 0; i < 50 && !extents.empty(); ++i) {
    const Extent& extent = extents[random.between(0, extents.size() - 1)];
    const std::uint64_t begin = random.between(0, extent.length - 1);
    std::string piece(random.between(1, std::min<std::uint64_t>(extent.length - begin, 200'000)), '?');
    ASSERT_TRUE(source.read(extent, begin, std::as_writable_bytes(std::span(piece))));
    EXPECT_TRUE(content.compare(extent.offset + begin, piece.size(), piece) == 0) << extent.offset << "+" << begin;
  }
}

// A letter for each sector: '0' zeros, 'x' something.
std::string map_of(const std::vector<Extent>& extents, std::uint64_t size) {
  std::string map(size / 512, '0');
  for (const Extent& extent : extents) {
    if (extent.kind == ExtentKind::kZero) continue;
    const std::uint64_t first = extent.offset / 512;
    std::fill_n(map.begin() + static_cast<std::ptrdiff_t>(first), (extent.offset + extent.length + 511) / 512 - first,
                'x');
  }
  return map;
}

std::string map_by_qemu(const Path& image, const std::string& format, std::uint64_t size) {
  std::string map(size / 512, '?');
  for (const auto& each : nlohmann::json::parse(run({"qemu-img", "map", "--output=json", "-f", format, image}))) {
    const std::uint64_t first = each["start"].get<std::uint64_t>() / 512;
    std::fill_n(map.begin() + static_cast<std::ptrdiff_t>(first), each["length"].get<std::uint64_t>() / 512,
                each["zero"].get<bool>() ? '0' : 'x');
  }
  return map;
}

std::unique_ptr<DiskSource> open(const Path& image, const std::string& format) {
  const auto chain = read_chain(image, format);
  if (!chain) {
    ADD_FAILURE() << chain.error().describe();
    return nullptr;
  }
  auto source = open_disk(*chain);
  if (source) return *std::move(source);
  ADD_FAILURE() << source.error().describe();
  return nullptr;
}

class SourceTest : public testing::Test {
 protected:
  Path at(const std::string& name) { return folder_.path() / name; }

  std::string content_by_qemu(const Path& image, const std::string& format) {
    qemu_img({"convert", "-f", format, "-O", "raw", image, at("converted")});
    return disk::content_of(at("converted"));
  }

  void expect_as_qemu_reads(const Path& image, const std::string& format) {
    const auto source = open(image, format);
    ASSERT_TRUE(source);
    const std::vector<Extent> extents = extents_of(*source);
    expect_whole(extents, source->virtual_size());
    EXPECT_TRUE(content_of(*source, extents) == content_by_qemu(image, format));
  }

  TemporaryFolder folder_;
};

// We find more zeros, since QEMU's map does not look for holes of the file within data; that they are zeros is seen by
// the content.
void expect_same_map(const std::string& ours, const std::string& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ASSERT_TRUE(ours[i] == '0' || theirs[i] == 'x') << "sector " << i << " is data, for QEMU " << theirs[i];
  }
}

// QEMU 7.2 sometimes puts data over a compressed cluster that it wrote before, and then cannot unpack that either.
bool is_spoilt_by_qemu(const DiskSource& source, const std::vector<Extent>& extents, const RandomChain& chain) {
  const bool can_read = std::ranges::all_of(extents, [&](const Extent& extent) {
    std::vector<std::byte> bytes(extent.length);
    return extent.kind != ExtentKind::kCompressed || source.read(extent, 0, bytes);
  });
  if (can_read) return false;
  const Path target = chain.top().native() + ".raw";
  const auto copy = run_process({"qemu-img", "convert", "-f", chain.format(), "-O", "raw", chain.top(), target});
  EXPECT_TRUE(copy && copy->exit_status != 0) << "QEMU can unpack what we cannot";
  return true;
}

TEST_F(SourceTest, ReadsRandomChainsAsQemuDoes) {
  for_random_seeds(10, 3000, [&](unsigned seed) {
    const TemporaryFolder folder;
    const RandomChain chain(folder.path(), seed);
    SCOPED_TRACE(chain.story());
    if (chain.is_spoilt()) return;
    const auto source = open(chain.top(), chain.format());
    ASSERT_TRUE(source);
    const std::vector<Extent> extents = extents_of(*source);
    expect_whole(extents, source->virtual_size());
    if (is_spoilt_by_qemu(*source, extents, chain)) return;
    const std::string content = content_by_qemu(chain.top(), chain.format());
    ASSERT_TRUE(content_of(*source, extents) == content);
    expect_same_in_pieces(*source, extents, content, RandomNumbers(seed));
    expect_same_map(map_of(extents, content.size()), map_by_qemu(chain.top(), chain.format(), content.size()));
  });
}

TEST_F(SourceTest, SeesTheHolesOfARawFile) {
  write_content(at("raw"), "");
  std::filesystem::resize_file(at("raw"), 8 << 20);
  qemu_io(at("raw"), "raw", {"write -P 1 1M 64k", "write -P 2 6M 2M"});
  const auto source = open(at("raw"), "raw");
  ASSERT_TRUE(source);
  EXPECT_THAT(extents_of(*source),
              ElementsAre(Extent{.offset = 0, .length = 1 << 20}, Extent{1 << 20, 65536, ExtentKind::kData, 0, 1 << 20},
                          Extent{.offset = 1114112, .length = 5177344},
                          Extent{6 << 20, 2 << 20, ExtentKind::kData, 0, 6 << 20}));
}

TEST_F(SourceTest, FillsUpTheLastSectorOfARawFile) {
  write_content(at("raw"), std::string(1000, 'x'));
  const auto source = open(at("raw"), "raw");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->virtual_size(), 1024U);
  expect_as_qemu_reads(at("raw"), "raw");
}

TEST_F(SourceTest, SeesTheHolesOfAPreallocatedImage) {
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "preallocation=metadata", at("image"), "64M"});
  qemu_io(at("image"), "qcow2", {"write -P 1 1M 64k"});
  const auto source = open(at("image"), "qcow2");
  ASSERT_TRUE(source);
  const auto extents = extents_of(*source);
  ASSERT_EQ(extents.size(), 3U);
  EXPECT_EQ(extents[1].offset, 1U << 20U);
  EXPECT_EQ(extents[1].length, 65536U);
  EXPECT_EQ(extents[2].kind, ExtentKind::kZero);
}

// What lies below the end of the image in the middle must not come up again.
TEST_F(SourceTest, ReadsZerosPastTheEndOfAShorterImage) {
  qemu_img({"create", "-q", "-f", "raw", at("base"), "8M"});
  qemu_io(at("base"), "raw", {"write -P 1 0 8M"});
  qemu_img({"create", "-q", "-f", "qcow2", "-b", at("base"), "-F", "raw", at("middle"), "3000320"});
  qemu_img({"create", "-q", "-f", "qcow2", "-b", at("middle"), "-F", "qcow2", at("top"), "9M"});
  const auto source = open(at("top"), "qcow2");
  ASSERT_TRUE(source);
  EXPECT_THAT(extents_of(*source), ElementsAre(Extent{0, 3000320, ExtentKind::kData, 2, 0},
                                               Extent{.offset = 3000320, .length = (9 << 20) - 3000320}));
  expect_as_qemu_reads(at("top"), "qcow2");
}

TEST_F(SourceTest, ReadsAnImageThatWasNotClosed) {
  make_qcow2(at("image"));
  const std::string expected = content_by_qemu(at("image"), "qcow2");
  std::string bytes = disk::content_of(at("image"));
  bytes[79] = 1;  // the feature bit "dirty"
  write_content(at("image"), bytes);
  const auto source = open(at("image"), "qcow2");
  ASSERT_TRUE(source);
  EXPECT_TRUE(content_of(*source, extents_of(*source)) == expected);
}

TEST_F(SourceTest, PlansAHugeEmptyDiskAtOnce) {
  qemu_img({"create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", at("image"), "1024P"});
  const auto begin = std::chrono::steady_clock::now();
  const auto source = open(at("image"), "qcow2");
  ASSERT_TRUE(source);
  EXPECT_THAT(extents_of(*source), ElementsAre(Extent{.offset = 0, .length = 1UL << 60U}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST_F(SourceTest, IsReadByManyThreadsAtOnce) {
  make_qcow2(at("plain"));
  qemu_img({"convert", "-c", "-f", "qcow2", "-O", "qcow2", at("plain"), at("packed")});
  const std::string content = content_by_qemu(at("plain"), "qcow2");
  const auto source = open(at("packed"), "qcow2");
  ASSERT_TRUE(source);
  static_cast<void>(run_in_parallel(4, [&](std::size_t thread) {
    const auto extents = extents_of(*source);
    EXPECT_TRUE(content_of(*source, extents) == content);
    expect_same_in_pieces(*source, extents, content, RandomNumbers(static_cast<unsigned>(thread)));
    return true;
  }));
}

}  // namespace
}  // namespace cohort::disk
