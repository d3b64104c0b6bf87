#include "disk/block_writer.h"

#include <algorithm>

#include "disk/clonable.h"

namespace cohort::disk {

// How many blocks from the i-th on are neighbours in the target, too.
std::size_t BlockWriter::neighbours(const Chunk& chunk, std::size_t i) const {
  const std::uint64_t place = place_of(chunk, i);
  std::size_t count = 1;
  while (i + count < chunk.blocks.size() && place_of(chunk, i + count) == place + count * kBlockBytes) ++count;
  return count;
}

Result<void> BlockWriter::write(const Chunk& chunk, std::span<const std::byte> bytes, std::size_t i) {
  while (i < chunk.blocks.size()) {
    const std::size_t shared = share(chunk, bytes, i);
    if (shared > 0) {
      i += shared;
      continue;
    }
    const std::size_t count = neighbours(chunk, i);
    COHORT_TRY(output_.write(place_of(chunk, i), bytes.subspan(i * kBlockBytes, count * kBlockBytes)));
    i += count;
  }
  return {};
}

std::size_t BlockWriter::share(const Chunk& chunk, std::span<const std::byte> bytes, std::size_t i) {
  if (!output_.may_clone()) return 0;
  const auto range = clonable_from(chunk, bytes, i);
  if (!range) return 0;
  const int fd = source_.descriptor(range->file);
  const std::size_t count = std::min(range->blocks, neighbours(chunk, i));
  const bool is_shared = fd >= 0 && output_.clone(fd, range->file_offset, place_of(chunk, i), count * kBlockBytes);
  return is_shared ? count : 0;
}

}  // namespace cohort::disk
