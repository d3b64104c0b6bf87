#include "disk/hash_image.h"

#include <thread>
#include <utility>

#include "base/sha256.h"
#include "disk/block_map.h"
#include "disk/chain.h"
#include "disk/chunk_feed.h"
#include "disk/copy_outcome.h"
#include "disk/direct_files.h"
#include "disk/image_lock.h"
#include "disk/source.h"

namespace cohort::disk {
namespace {

// Each is given back before the next one is taken.
constexpr std::uint64_t kBudget = BufferPool::kBufferBytes;

Result<void> add_blocks(const ReadChunk& read, ContentHash& content) {
  for (std::size_t i = 0; i < read.chunk.blocks.size(); ++i) {
    COHORT_TRY(content.add(read.chunk.blocks[i] * kBlockBytes, read.digests[i]));
  }
  return {};
}

Result<HashedContent> hash_disk(const DiskSource& source, ContentHash& content, const std::stop_token& stop) {
  BufferPool buffers(kBudget);
  RateLimiter unlimited;
  const CopyRequest request{source, {}, {}, {buffers, unlimited}, true};
  COHORT_ASSIGN(const BlockMap map, BlockMap::of(source, stop));
  COHORT_ASSIGN(auto cursor, source.extents());
  ChunkFeed feed(request, map, std::move(cursor), true);
  DirectFiles files(source);
  const ChunkReader reader(source, files);
  while (!stop.stop_requested()) {
    COHORT_ASSIGN(const SharedChunk read, feed.take(reader, stop));
    if (!read) break;
    COHORT_TRY(add_blocks(*read, content));
  }
  if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "Cancelled while an image was hashed.");
  return content.finish();
}

}  // namespace

Result<HashedImage> hash_image(const Path& image, const std::string& format, const Path& list,
                               const std::stop_token& stop, const std::function<void(std::uint64_t bytes)>& on_read) {
  COHORT_ASSIGN(const Chain chain, listed_chain({{image, format}}, stop));
  COHORT_ASSIGN(const ImageLock lock, ImageLock::hold(chain));
  COHORT_ASSIGN(const auto source, open_disk(chain, stop));
  COHORT_ASSIGN(ContentHash content, ContentHash::of_all(source->virtual_size(), list));
  // The first to fail stops the other.
  CopyOutcome outcome(stop);
  std::string sha256;
  HashedContent disk;
  {
    const std::jthread reader([&] {
      auto hash = sha256_of_file(image, outcome.stop(), on_read);
      if (!hash) return outcome.fail(std::move(hash).error());
      sha256 = *std::move(hash);
    });
    auto hashed = hash_disk(*source, content, outcome.stop());
    if (hashed) {
      disk = *std::move(hashed);
    } else {
      outcome.fail(std::move(hashed).error());
    }
  }
  COHORT_TRY(outcome.result(image));
  return HashedImage{std::move(sha256), std::move(disk), std::move(content)};
}

}  // namespace cohort::disk
