// A frozen disk, read without QEMU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include "base/result.h"
#include "disk/chain.h"
#include "disk/extents.h"

namespace cohort::disk {

// Walks over the disk once, in its order: extents are adjacent, cover the whole disk and are as long as they can be.
// Costs time in proportion to the tables of the images, and memory that does not depend on the disk's size
// (a part of one table for each layer).
class ExtentCursor {
 public:
  virtual ~ExtentCursor() = default;
  // Nothing after the end. kCorrupt names the file and the table entry; kCancelled.
  [[nodiscard]] virtual Result<std::optional<Extent>> next() = 0;
  // Nobody wants what lies before `offset`: where tables can be passed over, it is left out from now on, and an extent
  // may begin there.
  virtual void skip_to(std::uint64_t /*offset*/) {}
};

// Any number of threads can read at the same time; each walks with a cursor of its own. The source must outlive its
// cursors.
class DiskSource {
 public:
  virtual ~DiskSource() = default;
  [[nodiscard]] virtual std::uint64_t virtual_size() const = 0;  // bytes
  [[nodiscard]] virtual Result<std::unique_ptr<ExtentCursor>> extents() const = 0;
  // The bytes of the extent from `begin` (relative to its start) on. kZero gives zeros.
  // kCorrupt if the file ends before, or a compressed cluster cannot be unpacked; kIo.
  [[nodiscard]] virtual Result<void> read(const Extent& extent, std::uint64_t begin,
                                          std::span<std::byte> into) const = 0;
  // The open file of a kData extent, for who reads or clones it without a copy in memory.
  [[nodiscard]] virtual int descriptor(std::uint32_t file) const = 0;
};

// kUnsupported if a layer is of a format that is not read here (neither qcow2 nor raw), encrypted, or goes on under
// something that is not a plain file or block device: then QEMU has to read it (see nbd_source.h).
// Once `stop` is requested its cursors fail, also in the middle of an extent: tables can be made that say the same for
// hours.
[[nodiscard]] Result<std::unique_ptr<DiskSource>> open_disk(const Chain& chain, const std::stop_token& stop = {});

}  // namespace cohort::disk
