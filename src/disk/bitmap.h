// Persistent dirty bitmaps of qcow2 images (QEMU's docs/interop/qcow2.txt, "Bitmaps").
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "disk/chain.h"
#include "disk/changed_ranges.h"

namespace cohort::disk {

enum class BitmapState : std::uint8_t {
  kConsistent,
  kInUse,        // QEMU did not close the image: what it wrote last is not in the bitmap
  kStale,        // a program that knows nothing of bitmaps has written to the image
  kUnsupported,  // of a kind, or with properties, that are not known here
};

struct Bitmap {
  std::string name;
  std::uint64_t granularity = 0;  // bytes of the disk that a bit stands for
  bool is_auto = false;           // QEMU goes on recording by itself
  BitmapState state = BitmapState::kConsistent;
  std::uint64_t table_offset = 0;  // bytes from the start of the file
  std::uint32_t table_entries = 0;
};

// None for an image that is not qcow2. kCorrupt if the directory contradicts itself or the file.
[[nodiscard]] Result<std::vector<Bitmap>> list_bitmaps(const ChainLayer& image);

// What the bitmap of that name says has changed, up to the end of the image's disk.
// kNotFound; kInvalidState or kUnsupported for a bitmap whose state is not kConsistent; kCorrupt, then or while
// walking, for tables that cannot be right. Memory: a piece of two tables, whatever the size.
[[nodiscard]] Result<std::unique_ptr<RangeCursor>> read_bitmap(const ChainLayer& image, std::string_view name);

// The same for a disk whose bitmap was begun anew in each overlay: the union of all of that name. They must go from the
// top image down without a gap, and the disk's size must be the same in all: else it is not known what changed
// (kInvalidState).
[[nodiscard]] Result<std::unique_ptr<RangeCursor>> read_bitmap(const Chain& chain, std::string_view name);

}  // namespace cohort::disk
