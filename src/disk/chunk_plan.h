// A copy cut into chunks of the size of a buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "disk/block_map.h"
#include "disk/buffer_pool.h"
#include "disk/source.h"

namespace cohort::disk {

// What is read into one place of a buffer.
struct Piece {
  Extent extent;            // not kZero
  std::uint64_t begin = 0;  // within the extent, bytes
  std::size_t length = 0;   // bytes
  std::size_t at = 0;       // within the buffer
};

struct Chunk {
  static constexpr std::size_t kMaxBlocks = BufferPool::kBufferBytes / kBlockBytes;

  std::uint64_t number = 0;           // from 0 on, in the order of the disk
  std::uint64_t blocks_before = 0;    // in all earlier chunks
  std::vector<std::uint64_t> blocks;  // of the disk, ascending; the n-th begins n blocks into the buffer
  std::vector<Piece> pieces;          // in the order of the buffer; what lies between is zero
};

// Threads: one at a time. The map must outlive it.
class ChunkPlan {
 public:
  ChunkPlan(const BlockMap& map, std::unique_ptr<ExtentCursor> cursor) : walk_(map), cursor_(std::move(cursor)) {}

  // All blocks of the map and no others, whatever the cursor says of them now. Nothing after the last.
  [[nodiscard]] Result<std::optional<Chunk>> next();

 private:
  Result<void> add_pieces(Chunk& chunk, std::uint64_t block);
  void add_piece(Chunk& chunk, const Piece& piece);

  BlockWalk walk_;
  std::unique_ptr<ExtentCursor> cursor_;
  std::optional<Extent> extent_;   // the one that the walk has reached
  bool is_last_joinable_ = false;  // the last piece is of extent_
  std::uint64_t chunks_ = 0;
  std::uint64_t blocks_ = 0;
};

}  // namespace cohort::disk
