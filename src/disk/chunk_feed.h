// The chunks of a copy, read by several threads.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string>

#include "disk/chunk_plan.h"
#include "disk/chunk_reader.h"
#include "disk/copy.h"

namespace cohort::disk {

// A chunk in memory, given back when all who use it are done.
struct ReadChunk {
  Chunk chunk;
  BufferPool::Buffer buffer;
  std::array<std::string, Chunk::kMaxBlocks> digests;  // of its blocks, for the content hash, if they were wanted

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return buffer.bytes().first(chunk.blocks.size() * kBlockBytes);
  }
  [[nodiscard]] std::span<const std::byte> block(std::size_t i) const {
    return buffer.bytes().subspan(i * kBlockBytes, kBlockBytes);
  }
  // As far as the disk goes.
  [[nodiscard]] std::span<const std::byte> content(std::size_t i, std::uint64_t virtual_size) const {
    return block(i).first(std::min(virtual_size - chunk.blocks[i] * kBlockBytes, kBlockBytes));
  }
};
using SharedChunk = std::shared_ptr<const ReadChunk>;

// Threads: any number, each with a reader of its own.
class ChunkFeed {
 public:
  // The request must outlive it.
  ChunkFeed(const CopyRequest& request, const BlockMap& map, std::unique_ptr<ExtentCursor> cursor, bool with_digests)
      : request_(request), plan_(map, std::move(cursor)), with_digests_(with_digests) {}

  // The next chunk, read, with its digests if they are wanted; nothing after the last, or when all shall stop.
  [[nodiscard]] Result<SharedChunk> take(const ChunkReader& reader, const std::stop_token& stop);

 private:
  const CopyRequest& request_;
  std::mutex mutex_;
  ChunkPlan plan_;
  bool with_digests_;
};

}  // namespace cohort::disk
