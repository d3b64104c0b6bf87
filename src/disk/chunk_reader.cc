#include "disk/chunk_reader.h"

#include <algorithm>

namespace cohort::disk {

Result<void> read_chunk(const DiskSource& source, const Chunk& chunk, std::span<std::byte> into) {
  std::size_t end = 0;  // of what is filled
  for (const Piece& piece : chunk.pieces) {
    std::ranges::fill(into.subspan(end, piece.at - end), std::byte{0});
    end = piece.at + piece.length;
    COHORT_TRY(source.read(piece.extent, piece.begin, into.subspan(piece.at, piece.length)));
  }
  std::ranges::fill(into.subspan(end, chunk.blocks.size() * kBlockBytes - end), std::byte{0});
  return {};
}

}  // namespace cohort::disk
