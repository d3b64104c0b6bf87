// Putting a copy's blocks into its target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "disk/chunk_plan.h"
#include "disk/copy_layout.h"
#include "disk/output_file.h"
#include "disk/source.h"

namespace cohort::disk {

// Threads: any number at once, each with blocks of its own. All that it is made of must outlive it.
class BlockWriter {
 public:
  BlockWriter(const DiskSource& source, const CopyLayout& layout, OutputFile& output)
      : source_(source), layout_(layout), output_(output) {}

  // Bytes: where the i-th block of the chunk goes in the target.
  [[nodiscard]] std::uint64_t place_of(const Chunk& chunk, std::size_t i) const {
    return layout_.place_of(chunk.blocks[i], chunk.blocks_before + i);
  }

  // The blocks from the i-th on. Those that can be are shared with the source, but for zeros, which become holes.
  // `bytes`: what was read of the whole chunk.
  [[nodiscard]] Result<void> write(const Chunk& chunk, std::span<const std::byte> bytes, std::size_t i = 0);

  // How many blocks from the i-th on the target shares with the source now. `bytes`: as above; empty if nothing was
  // read, then zeros are shared, too.
  [[nodiscard]] std::size_t share(const Chunk& chunk, std::span<const std::byte> bytes, std::size_t i);

 private:
  [[nodiscard]] std::size_t neighbours(const Chunk& chunk, std::size_t i) const;

  const DiskSource& source_;
  const CopyLayout& layout_;
  OutputFile& output_;
};

}  // namespace cohort::disk
