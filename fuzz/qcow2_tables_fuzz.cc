// A whole qcow2 file, as an image and as the overlay of itself: header, tables, compressed clusters and bitmaps.
//
// Whatever the bytes are: extents follow one another and end with the disk, data is within the file, ranges ascend.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "disk/bitmap.h"
#include "disk/changed_since.h"
#include "disk/difference.h"
#include "disk/qcow2_bounds.h"
#include "disk/source.h"

namespace {

using namespace cohort;

// Enough to see every kind of entry; a file can map far more than there is time for.
constexpr int kMaxItems = 2000;
constexpr std::uint64_t kMaxBytes = 256UL << 10U;

void require(bool holds) {
  if (!holds) std::abort();
}

void walk(const disk::Chain& chain, std::uint64_t file_length) {
  const auto source = disk::open_disk(chain);
  if (!source) return;
  const auto cursor = (*source)->extents();
  std::uint64_t place = 0;
  std::uint64_t bytes_left = kMaxBytes;
  for (int i = 0; i < kMaxItems; ++i) {
    const auto extent = (*cursor)->next();
    if (!extent) return;
    if (!*extent) {
      require(place == (*source)->virtual_size());
      return;
    }
    require((*extent)->offset == place && (*extent)->length > 0);
    place += (*extent)->length;
    require(place <= (*source)->virtual_size());
    if ((*extent)->kind == disk::ExtentKind::kData) {
      require((*extent)->file_offset + (*extent)->length <= file_length);
    }
    std::vector<std::byte> bytes(std::min({(*extent)->length, bytes_left, std::uint64_t{64} << 10U}));
    static_cast<void>((*source)->read(**extent, (*extent)->length - bytes.size(), bytes));
    bytes_left -= bytes.size();
  }
}

void walk_bitmaps(const disk::Chain& chain) {
  const auto bitmaps = disk::list_bitmaps(chain.layers.front());
  if (!bitmaps) return;
  for (const auto& bitmap : *bitmaps) {
    const auto cursor = disk::read_bitmap(chain, bitmap.name);
    std::uint64_t place = 0;
    for (int i = 0; cursor && i < kMaxItems; ++i) {
      const auto range = (*cursor)->next();
      if (!range || !*range) break;
      require((*range)->length > 0 && ((*range)->offset > place || place == 0));
      place = (*range)->end();
      require(place <= chain.layers.front().header->disk_size());
    }
  }
}

// What lies above is a difference to what lies below.
void plan_difference(const disk::Chain& chain) {
  const auto source = disk::open_disk(chain);
  if (!source) return;
  const std::uint64_t size = (*source)->virtual_size();
  const disk::Difference difference{{"parent", "qcow2", size}, [&] { return disk::changed_since(chain, 1); }};
  const auto map = disk::DifferenceMap::of(**source, difference, {});
  if (!map) return;
  disk::BlockWalk stored(map->stored);
  for (int i = 0; i < kMaxItems; ++i) {
    const auto block = stored.next();
    if (!block) break;
    require(*block <= size / disk::kBlockBytes);
    const auto* cleared = map->cleared.group(*block / disk::BlockMap::kGroupBlocks);
    require(cleared == nullptr || !cleared->contains(*block % disk::BlockMap::kGroupBlocks));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto header = disk::parse_qcow2_header({reinterpret_cast<const char*>(data), size});
  if (!header) return 0;
  const UniqueFd file(::memfd_create("image", MFD_CLOEXEC));
  require(::write(file.get(), data, size) == static_cast<ssize_t>(size));
  const Path path = "/proc/self/fd/" + std::to_string(file.get());
  static_cast<void>(disk::check_qcow2_bounds(file.get(), *header, "image", {}));
  // No other file is opened, whatever is named.
  if (header->data_file) header->data_file = path.native();
  disk::Chain chain;
  chain.layers.assign(1, {path, "qcow2", false, *header});
  walk(chain, size);
  chain.layers.push_back(chain.layers.front());
  walk(chain, size);
  plan_difference(chain);
  walk_bitmaps(chain);
  return 0;
}
