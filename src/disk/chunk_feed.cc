#include "disk/chunk_feed.h"

#include <utility>

#include "disk/content_hash.h"

namespace cohort::disk {
namespace {

void add_digests(ReadChunk& read, std::uint64_t virtual_size) {
  for (std::size_t i = 0; i < read.chunk.blocks.size(); ++i) {
    read.digests[i] = digest_of_block(read.content(i, virtual_size));
  }
}

}  // namespace

Result<SharedChunk> ChunkFeed::take(const ChunkReader& reader, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  COHORT_ASSIGN(auto chunk, plan_.next());
  if (!chunk) return SharedChunk();
  // In the order of the chunks: the one that is wanted next has a buffer, however few there are.
  if (!request_.resources.limiter.acquire(chunk->blocks.size() * kBlockBytes, stop)) return SharedChunk();
  auto buffer = request_.resources.buffers.take(stop);
  if (!buffer) return SharedChunk();
  lock.unlock();
  auto read = std::make_shared<ReadChunk>(ReadChunk{*std::move(chunk), *std::move(buffer), {}});
  COHORT_TRY(reader.read(read->chunk, read->buffer.bytes()));
  if (with_digests_) add_digests(*read, request_.source.virtual_size());
  return read;
}

}  // namespace cohort::disk
