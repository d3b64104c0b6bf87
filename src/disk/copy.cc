#include "disk/copy.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "disk/block_map.h"
#include "disk/block_writer.h"
#include "disk/chunk_feed.h"
#include "disk/content_hash.h"
#include "disk/copy_task.h"
#include "disk/direct_files.h"
#include "disk/file_hash.h"
#include "disk/hash_for_copy.h"
#include "disk/memory_bytes.h"
#include "disk/ordered_queue.h"
#include "disk/write_head.h"

namespace cohort::disk {
namespace {

// Reading and writing wait for the storage, so more of them than processors.
constexpr std::size_t kWorkers = 4;

class Copying {
 public:
  Copying(const CopyTask& task, ContentHash* content, const std::stop_token& stop)
      : task_(task),
        writer_(task.request.source, task.layout, task.output),
        outcome_(stop),
        hash_(task.request.hashes_in_one_pass),
        files_(task.request.source),
        content_(content) {}

  Result<CopiedImage> run() {
    COHORT_TRY(write_head());
    COHORT_ASSIGN(auto cursor, task_.request.source.extents());
    ChunkFeed feed(task_.request, task_.map, std::move(cursor),
                   content_ != nullptr && !task_.request.hashes_in_one_pass);
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < kWorkers; ++i) workers.emplace_back([&] { work(feed); });
      hash_chunks();
    }
    COHORT_TRY(task_.sync(outcome_));
    HashedContent content;
    if (content_ != nullptr) {
      COHORT_ASSIGN(content, content_->finish());
    }
    task_.report(task_.layout.head_blocks() + task_.map.blocks());
    return CopiedImage{task_.layout.virtual_size(), task_.layout.file_size(), hash_.finish(),
                       std::move(content.content_hash), content.list_bytes};
  }

 private:
  Result<void> write_head() {
    const auto on_written = [this](std::uint64_t offset, std::span<const std::byte> bytes) {
      static_cast<void>(hash_.add(offset, bytes, outcome_.stop()));
      task_.report((offset + bytes.size()) / kBlockBytes);
    };
    COHORT_TRY(
        disk::write_head(task_.layout, task_.output, task_.request.resources.buffers, outcome_.stop(), on_written));
    return outcome_.result(task_.request.target);
  }

  // The top of a worker's thread.
  void work(ChunkFeed& feed) {
    const ChunkReader reader(task_.request.source, files_);
    while (true) {
      auto chunk = feed.take(reader, outcome_.stop());
      if (!chunk) return outcome_.fail(std::move(chunk).error());
      if (!*chunk) return;
      chunks_.put((*chunk)->chunk.number, *chunk);
      const ReadChunk& read = **chunk;
      if (auto written = writer_.write(read.chunk, read.bytes()); !written)
        return outcome_.fail(std::move(written).error());
      written_ += read.chunk.blocks.size();
    }
  }

  void hash_chunks() {
    const std::stop_token stop = outcome_.stop();
    const std::uint64_t chunks = (task_.map.blocks() + Chunk::kMaxBlocks - 1) / Chunk::kMaxBlocks;
    std::uint64_t hashed = 0;
    for (std::uint64_t number = 0; number < chunks; ++number) {
      const auto read = chunks_.take(number, stop);
      if (!read || !hash(**read)) return;
      hashed += (*read)->chunk.blocks.size();
      task_.report(task_.layout.head_blocks() + std::min(hashed, written_.load()));
    }
    static_cast<void>(hash_.add(task_.layout.file_size(), {}, stop));
  }

  // False when all shall stop.
  bool hash(const ReadChunk& read) {
    for (std::size_t i = 0; i < read.chunk.blocks.size(); ++i) {
      if (!hash(read, i)) return false;
    }
    return true;
  }

  bool hash(const ReadChunk& read, std::size_t i) {
    const std::uint64_t place = writer_.place_of(read.chunk, i);
    const std::span<const std::byte> stored =
        read.block(i).first(std::min(kBlockBytes, task_.layout.file_size() - place));
    const bool is_part = content_ != nullptr && task_.request.hashes_in_one_pass && !is_zero(stored);
    if (!is_part) return hash_.add(place, stored, outcome_.stop()) && hash_content(read, i, read.digests[i]);
    const auto content = read.content(i, task_.layout.virtual_size());
    auto digest = hash_.add_part(place, stored, outcome_.stop());
    if (!digest) return false;
    return hash_content(read, i, content.size() == stored.size() ? *digest : digest_of_block(content));
  }

  bool hash_content(const ReadChunk& read, std::size_t i, const std::string& digest) {
    if (content_ == nullptr) return true;
    auto added = content_->add(read.chunk.blocks[i] * kBlockBytes, digest);
    if (added) return true;
    outcome_.fail(std::move(added).error());
    return false;
  }

  CopyTask task_;
  BlockWriter writer_;
  CopyOutcome outcome_;
  FileHash hash_;
  DirectFiles files_;
  ContentHash* content_;  // none if it is not wanted
  OrderedQueue<SharedChunk> chunks_;
  std::atomic<std::uint64_t> written_ = 0;  // blocks
};

PlannedCopy planned(const BlockMap& map, const CopyLayout& layout) {
  return {(layout.head_blocks() + map.blocks()) * kBlockBytes, layout.file_size()};
}

Result<CopiedImage> copy_blocks(const CopyRequest& request, const BlockMap& map, const CopyLayout& layout,
                                std::optional<ContentHash> content, const std::stop_token& stop,
                                const std::function<void(std::uint64_t)>& on_progress) {
  COHORT_ASSIGN(const auto output, OutputFile::create(request.target, layout.file_size()));
  Copying copying({request, map, layout, *output, on_progress}, content ? &*content : nullptr, stop);
  COHORT_ASSIGN(CopiedImage image, copying.run());
  output->keep();
  if (content) content->keep();
  return image;
}

}  // namespace

Result<PlannedCopy> plan_copy(const DiskSource& source, const std::string& format, const std::stop_token& stop) {
  COHORT_ASSIGN(const BlockMap map, BlockMap::of(source, stop));
  COHORT_ASSIGN(const auto layout, lay_out(format, map, source.virtual_size()));
  return planned(map, *layout);
}

Result<CopiedImage> copy_disk(const CopyRequest& request, const std::stop_token& stop,
                              const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const BlockMap map, BlockMap::of(request.source, stop));
  COHORT_ASSIGN(const auto layout, lay_out(request.format, map, request.source.virtual_size()));
  COHORT_ASSIGN(auto content, hash_for_copy(request));
  return copy_blocks(request, map, *layout, std::move(content), stop, on_progress);
}

Result<PlannedCopy> plan_difference(const DiskSource& source, const Difference& difference,
                                    const std::stop_token& stop) {
  COHORT_ASSIGN(const DifferenceMap map, DifferenceMap::of(source, difference, stop));
  COHORT_ASSIGN(const auto layout, lay_out_difference(map, difference.parent, source.virtual_size()));
  return planned(map.stored, *layout);
}

Result<CopiedImage> copy_difference(const CopyRequest& request, const Difference& difference,
                                    const std::stop_token& stop,
                                    const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const DifferenceMap map, DifferenceMap::of(request.source, difference, stop));
  COHORT_ASSIGN(const auto layout, lay_out_difference(map, difference.parent, request.source.virtual_size()));
  COHORT_ASSIGN(auto content, hash_for_copy(request, difference, map));
  return copy_blocks(request, map.stored, *layout, std::move(content), stop, on_progress);
}

}  // namespace cohort::disk
