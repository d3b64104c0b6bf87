#include "disk/chunk_plan.h"

#include <algorithm>

namespace cohort::disk {

Result<std::optional<Chunk>> ChunkPlan::next() {
  Chunk chunk{chunks_, blocks_, {}, {}};
  is_last_joinable_ = false;
  while (chunk.blocks.size() < Chunk::kMaxBlocks) {
    const auto block = walk_.next();
    if (!block) break;
    COHORT_TRY(add_pieces(chunk, *block));
    chunk.blocks.push_back(*block);
  }
  if (chunk.blocks.empty()) return std::nullopt;
  ++chunks_;
  blocks_ += chunk.blocks.size();
  return chunk;
}

Result<void> ChunkPlan::add_pieces(Chunk& chunk, std::uint64_t block) {
  const std::uint64_t end = (block + 1) * kBlockBytes;
  std::uint64_t place = block * kBlockBytes;
  while (true) {
    if (extent_ && extent_->offset + extent_->length > place) {
      if (extent_->offset >= end) return {};
      const std::uint64_t from = std::max(place, extent_->offset);
      place = std::min(end, extent_->offset + extent_->length);
      const std::size_t at = chunk.blocks.size() * kBlockBytes + from % kBlockBytes;
      if (extent_->kind != ExtentKind::kZero) add_piece(chunk, {*extent_, from - extent_->offset, place - from, at});
      if (place == end) return {};
    }
    cursor_->skip_to(place);
    COHORT_ASSIGN(extent_, cursor_->next());
    is_last_joinable_ = false;
    if (!extent_) return {};
  }
}

void ChunkPlan::add_piece(Chunk& chunk, const Piece& piece) {
  if (is_last_joinable_) {
    Piece& last = chunk.pieces.back();
    if (last.begin + last.length == piece.begin && last.at + last.length == piece.at) {
      last.length += piece.length;
      return;
    }
  }
  chunk.pieces.push_back(piece);
  is_last_joinable_ = true;
}

}  // namespace cohort::disk
