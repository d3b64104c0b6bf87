#include "disk/chunk_reader.h"

#include <algorithm>
#include <vector>

namespace cohort::disk {
namespace {

void fill_gaps(const Chunk& chunk, std::span<std::byte> into) {
  std::size_t end = 0;  // of what is filled
  for (const Piece& piece : chunk.pieces) {
    std::ranges::fill(into.subspan(end, piece.at - end), std::byte{0});
    end = piece.at + piece.length;
  }
  std::ranges::fill(into.subspan(end, chunk.blocks.size() * kBlockBytes - end), std::byte{0});
}

}  // namespace

Result<void> ChunkReader::read(const Chunk& chunk, std::span<std::byte> into) const {
  fill_gaps(chunk, into);
  const bool has_data = read_at_once(chunk, into);
  for (const Piece& piece : chunk.pieces) {
    if (has_data && piece.extent.kind == ExtentKind::kData) continue;
    COHORT_TRY(source_.read(piece.extent, piece.begin, into.subspan(piece.at, piece.length)));
  }
  return {};
}

// The kData pieces. Worth it for several: one after the other they would each wait for the storage. False if they have
// to be read in the ordinary way, which also says what is wrong with them.
bool ChunkReader::read_at_once(const Chunk& chunk, std::span<std::byte> into) const {
  if (!ring_ || chunk.pieces.size() < 2) return false;
  std::vector<ReadRing::Request> requests;
  for (const Piece& piece : chunk.pieces) {
    if (piece.extent.kind != ExtentKind::kData) continue;
    const int fd = source_.descriptor(piece.extent.file);
    if (fd < 0) return false;
    requests.push_back({fd, piece.extent.file_offset + piece.begin, into.subspan(piece.at, piece.length)});
  }
  return ring_->read(requests);
}

}  // namespace cohort::disk
