// Where a copy's bytes go in its target file, known before the first is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "disk/block_map.h"
#include "disk/difference.h"

namespace cohort::disk {

class CopyLayout {
 public:
  virtual ~CopyLayout() = default;
  [[nodiscard]] virtual std::uint64_t file_size() const = 0;     // bytes
  [[nodiscard]] virtual std::uint64_t virtual_size() const = 0;  // bytes, as the target says it
  // The file begins with so many blocks of the format's own.
  [[nodiscard]] virtual std::uint64_t head_blocks() const = 0;
  // REQUIRES: number < head_blocks(); `into` is one block.
  virtual void fill_head_block(std::uint64_t number, std::span<std::byte> into) const = 0;
  // Where a block of the disk goes that has `blocks_before` others of the map before it. Bytes; it ascends.
  [[nodiscard]] virtual std::uint64_t place_of(std::uint64_t block, std::uint64_t blocks_before) const = 0;
};

// For "qcow2" or "raw"; kUnsupported for others, and for a disk that is larger than the format can be.
// The map must outlive it.
[[nodiscard]] Result<std::unique_ptr<CopyLayout>> lay_out(const std::string& format, const BlockMap& map,
                                                          std::uint64_t virtual_size);

// A qcow2 image that stands on the parent. kInvalidArgument for a parent whose name the format cannot have.
// The map must outlive it.
[[nodiscard]] Result<std::unique_ptr<CopyLayout>> lay_out_difference(const DifferenceMap& map, const Parent& parent,
                                                                     std::uint64_t virtual_size);

}  // namespace cohort::disk
