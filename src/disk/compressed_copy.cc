#include "disk/compressed_copy.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "disk/chunk_feed.h"
#include "disk/compressed_cluster.h"
#include "disk/content_hash.h"
#include "disk/copy_layout.h"
#include "disk/copy_outcome.h"
#include "disk/direct_files.h"
#include "disk/hash_for_copy.h"
#include "disk/hash_target.h"
#include "disk/memory_bytes.h"
#include "disk/ordered_queue.h"
#include "disk/packed_image.h"

namespace cohort::disk {
namespace {

constexpr std::size_t kMinWorkers = 2;
// More have no buffer to work on.
constexpr std::size_t kMaxWorkers = BufferPool::kDefaultBudget / BufferPool::kBufferBytes;
// Of the progress; the rest is hashing. Packing is several times as much work.
constexpr double kPackingShare = 0.9;

// A chunk with its clusters packed. It keeps its buffer until it is in the file, so that there are never many.
struct PackedChunk {
  SharedChunk read;
  std::array<std::vector<std::byte>, Chunk::kMaxBlocks> clusters;  // empty: all zero
};

class Packing {
 public:
  Packing(const CopyRequest& request, const BlockMap& map, PackedImage& image, ContentHash* content,
          const std::stop_token& stop, const std::function<void(std::uint64_t)>& on_progress)
      : request_(request),
        map_(map),
        image_(image),
        on_progress_(on_progress),
        outcome_(stop),
        files_(request.source),
        content_(content) {}

  // The content hash, if it is wanted.
  Result<HashedContent> run() {
    COHORT_ASSIGN(auto cursor, request_.source.extents());
    ChunkFeed feed(request_, map_, std::move(cursor), content_ != nullptr);
    {
      std::vector<std::jthread> workers;
      const std::size_t count = std::clamp<std::size_t>(std::thread::hardware_concurrency(), kMinWorkers, kMaxWorkers);
      for (std::size_t i = 0; i < count; ++i) workers.emplace_back([&] { work(feed); });
      if (auto appended = append_chunks(); !appended) outcome_.fail(std::move(appended).error());
    }
    COHORT_TRY(outcome_.result(request_.target));
    return content_ == nullptr ? Result<HashedContent>(HashedContent{}) : content_->finish();
  }

 private:
  // The top of a worker's thread.
  void work(ChunkFeed& feed) {
    const ChunkReader reader(request_.source, files_);
    ClusterPacker packer;
    while (true) {
      auto chunk = feed.take(reader, outcome_.stop());
      if (!chunk) return outcome_.fail(std::move(chunk).error());
      if (!*chunk) return;
      auto packed = pack(*chunk, packer);
      if (!packed) return outcome_.fail(std::move(packed).error());
      chunks_.put((*chunk)->chunk.number, *std::move(packed));
    }
  }

  static Result<std::unique_ptr<PackedChunk>> pack(const SharedChunk& read, ClusterPacker& packer) {
    auto packed = std::make_unique<PackedChunk>();
    packed->read = read;
    for (std::size_t i = 0; i < read->chunk.blocks.size(); ++i) {
      if (is_zero(read->block(i))) continue;
      COHORT_ASSIGN(const std::span<const std::byte> bytes, packer.pack(read->block(i)));
      // What does not become smaller stays as it is.
      const auto kept = bytes.size() < kBlockBytes ? bytes : read->block(i);
      packed->clusters[i].assign(kept.begin(), kept.end());
    }
    return packed;
  }

  Result<void> append_chunks() {
    const std::uint64_t chunks = (map_.blocks() + Chunk::kMaxBlocks - 1) / Chunk::kMaxBlocks;
    std::uint64_t done = 0;
    for (std::uint64_t number = 0; number < chunks; ++number) {
      const auto packed = chunks_.take(number, outcome_.stop());
      if (!packed) return {};
      COHORT_TRY(append(**packed));
      done += (*packed)->read->chunk.blocks.size();
      if (on_progress_) on_progress_(done);
    }
    return image_.finish();
  }

  Result<void> append(const PackedChunk& packed) {
    const auto& blocks = packed.read->chunk.blocks;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      COHORT_TRY(image_.add(blocks[i], packed.clusters[i]));
      if (content_ != nullptr) COHORT_TRY(content_->add(blocks[i] * kBlockBytes, packed.read->digests[i]));
    }
    return {};
  }

  const CopyRequest& request_;
  const BlockMap& map_;
  PackedImage& image_;
  const std::function<void(std::uint64_t)>& on_progress_;  // gets blocks
  CopyOutcome outcome_;
  DirectFiles files_;
  ContentHash* content_;  // none if it is not wanted
  OrderedQueue<std::unique_ptr<PackedChunk>> chunks_;
};

// Shares the planned bytes out to packing and hashing.
class Progress {
 public:
  Progress(std::uint64_t planned, std::uint64_t blocks, const std::function<void(std::uint64_t)>& on_progress)
      : planned_(planned), blocks_(std::max<std::uint64_t>(blocks, 1)), on_progress_(on_progress) {}

  void packed(std::uint64_t blocks) const {
    report(kPackingShare * static_cast<double>(blocks) / static_cast<double>(blocks_));
  }
  void hashed(std::uint64_t bytes, std::uint64_t size) const {
    report(kPackingShare + (1 - kPackingShare) * static_cast<double>(bytes) / static_cast<double>(size));
  }
  void finish() const {
    if (on_progress_) on_progress_(planned_);
  }

 private:
  void report(double share) const {
    if (on_progress_) on_progress_(static_cast<std::uint64_t>(std::min(share, 1.0) * static_cast<double>(planned_)));
  }

  std::uint64_t planned_;
  std::uint64_t blocks_;
  const std::function<void(std::uint64_t)>& on_progress_;
};

Result<CopiedImage> copy_packed(const CopyRequest& request, const BlockMap& stored, AppendFile& file,
                                PackedImage& image, std::optional<ContentHash> content, const Progress& progress,
                                const std::stop_token& stop) {
  const std::function<void(std::uint64_t)> on_packed = [&](std::uint64_t blocks) { progress.packed(blocks); };
  CopiedImage copied;
  ContentHash* const hash = content ? &*content : nullptr;
  COHORT_ASSIGN(const HashedContent hashed_content, Packing(request, stored, image, hash, stop, on_packed).run());
  copied.content_hash = hashed_content.content_hash;
  copied.hashes_size = hashed_content.list_bytes;
  std::uint64_t hashed = 0;
  COHORT_ASSIGN(copied.sha256, hash_and_sync(file, stop, [&](std::uint64_t bytes) {
                  hashed += bytes;
                  progress.hashed(hashed, file.size());
                }));
  copied.virtual_size = image.virtual_size();
  copied.file_size = file.size();
  file.keep();
  if (content) content->keep();
  progress.finish();
  return copied;
}

Result<void> check_format(const CopyRequest& request) {
  if (request.format == "qcow2") return {};
  return fail(ErrorCode::kUnsupported, "Images of the format \"{}\" cannot be compressed, only qcow2.", request.format);
}

}  // namespace

Result<CopiedImage> copy_compressed(const CopyRequest& request, const std::stop_token& stop,
                                    const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_TRY(check_format(request));
  COHORT_ASSIGN(const BlockMap map, BlockMap::of(request.source, stop));
  const std::uint64_t size = request.source.virtual_size();
  COHORT_ASSIGN(const auto uncompressed, lay_out(request.format, map, size));
  COHORT_ASSIGN(AppendFile file, AppendFile::create(request.target));
  COHORT_ASSIGN(PackedImage image, PackedImage::begin(file, size, map));
  COHORT_ASSIGN(auto content, hash_for_copy(request));
  const Progress progress((uncompressed->head_blocks() + map.blocks()) * kBlockBytes, map.blocks(), on_progress);
  return copy_packed(request, map, file, image, std::move(content), progress, stop);
}

Result<CopiedImage> copy_compressed(const CopyRequest& request, const Difference& difference,
                                    const std::stop_token& stop,
                                    const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_TRY(check_format(request));
  COHORT_ASSIGN(const DifferenceMap map, DifferenceMap::of(request.source, difference, stop));
  const std::uint64_t size = request.source.virtual_size();
  COHORT_ASSIGN(const auto uncompressed, lay_out_difference(map, difference.parent, size));
  COHORT_ASSIGN(AppendFile file, AppendFile::create(request.target));
  COHORT_ASSIGN(PackedImage image, PackedImage::begin(file, size, map, difference.parent));
  COHORT_ASSIGN(auto content, hash_for_copy(request, difference, map));
  const Progress progress((uncompressed->head_blocks() + map.stored.blocks()) * kBlockBytes, map.stored.blocks(),
                          on_progress);
  return copy_packed(request, map.stored, file, image, std::move(content), progress, stop);
}

}  // namespace cohort::disk
