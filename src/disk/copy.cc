#include "disk/copy.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "disk/block_map.h"
#include "disk/chunk_plan.h"
#include "disk/chunk_reader.h"
#include "disk/clonable.h"
#include "disk/content_hash.h"
#include "disk/copy_layout.h"
#include "disk/direct_files.h"
#include "disk/file_hash.h"
#include "disk/ordered_queue.h"
#include "disk/output_file.h"

namespace cohort::disk {
namespace {

// Reading and writing wait for the storage, so more of them than processors.
constexpr std::size_t kWorkers = 4;

// A chunk in memory: hashed and written at the same time, given back when both are done.
struct ReadChunk {
  Chunk chunk;
  BufferPool::Buffer buffer;
  std::array<std::string, Chunk::kMaxBlocks> digests;  // of its blocks, for the content hash

  [[nodiscard]] std::span<const std::byte> bytes() const {
    return buffer.bytes().first(chunk.blocks.size() * kBlockBytes);
  }
};
using SharedChunk = std::shared_ptr<const ReadChunk>;  // by the worker that writes and the thread that hashes

// The first thing that went wrong in any thread; the others are told to stop.
class Outcome {
 public:
  explicit Outcome(const std::stop_token& outer) : forward_(outer, Forward{stop_}) {}
  [[nodiscard]] std::stop_token stop() const { return stop_.get_token(); }
  void fail(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_ && !stop_.stop_requested()) error_ = std::move(error);
    stop_.request_stop();
  }
  // REQUIRES: no thread calls fail() any more.
  [[nodiscard]] Result<void> result(const Path& target) {
    if (error_) return Failure{*std::move(error_)};
    if (!stop_.stop_requested()) return {};
    return ::cohort::fail(ErrorCode::kCancelled, "Cancelled while copying to \"{}\".", target.string());
  }

 private:
  struct Forward {
    std::stop_source& stop;
    void operator()() const { stop.request_stop(); }
  };
  std::stop_source stop_;
  std::stop_callback<Forward> forward_;
  std::mutex mutex_;
  std::optional<Error> error_;
};

class Copying {
 public:
  Copying(const CopyRequest& request, const BlockMap& map, const CopyLayout& layout, OutputFile& output,
          const std::stop_token& stop, const std::function<void(std::uint64_t)>& on_progress)
      : request_(request),
        map_(map),
        layout_(layout),
        output_(output),
        on_progress_(on_progress),
        outcome_(stop),
        files_(request.source),
        content_(request.source.virtual_size()) {}

  Result<CopiedImage> run() {
    COHORT_TRY(write_head());
    COHORT_ASSIGN(auto cursor, request_.source.extents());
    ChunkPlan plan(map_, std::move(cursor));
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < kWorkers; ++i) workers.emplace_back([&] { work(plan); });
      hash_chunks();
    }
    COHORT_TRY(outcome_.result(request_.target));
    COHORT_TRY(output_.sync());
    COHORT_TRY(outcome_.result(request_.target));
    report(layout_.head_blocks() + map_.blocks());
    return CopiedImage{layout_.virtual_size(), layout_.file_size(), hash_.finish(),
                       request_.wants_content_hash ? content_.finish() : std::string()};
  }

 private:
  Result<void> write_head() {
    const auto buffer = request_.resources.buffers.take(outcome_.stop());
    for (std::uint64_t done = 0; buffer && done < layout_.head_blocks() && !outcome_.stop().stop_requested();) {
      const std::uint64_t count = std::min<std::uint64_t>(layout_.head_blocks() - done, Chunk::kMaxBlocks);
      const auto bytes = buffer->bytes().first(count * kBlockBytes);
      for (std::uint64_t i = 0; i < count; ++i) {
        layout_.fill_head_block(done + i, bytes.subspan(i * kBlockBytes, kBlockBytes));
      }
      COHORT_TRY(output_.write(done * kBlockBytes, bytes));
      static_cast<void>(hash_.add(done * kBlockBytes, bytes, outcome_.stop()));
      done += count;
      report(done);
    }
    return outcome_.result(request_.target);
  }

  // The top of a worker's thread.
  void work(ChunkPlan& plan) {
    const ChunkReader reader(request_.source, files_);
    while (true) {
      auto chunk = take(plan, reader);
      if (!chunk) return outcome_.fail(std::move(chunk).error());
      if (!*chunk) return;
      chunks_.put((*chunk)->chunk.number, *chunk);
      if (auto written = write(**chunk); !written) return outcome_.fail(std::move(written).error());
      written_ += (*chunk)->chunk.blocks.size();
    }
  }

  // The next chunk, read; nothing after the last, or when all shall stop.
  Result<SharedChunk> take(ChunkPlan& plan, const ChunkReader& reader) {
    std::unique_lock lock(plan_mutex_);
    COHORT_ASSIGN(auto chunk, plan.next());
    if (!chunk) return SharedChunk();
    // In the order of the chunks: the one that is hashed next has a buffer, however few there are.
    if (!request_.resources.limiter.acquire(chunk->blocks.size() * kBlockBytes, outcome_.stop())) return SharedChunk();
    auto buffer = request_.resources.buffers.take(outcome_.stop());
    if (!buffer) return SharedChunk();
    lock.unlock();
    auto read = std::make_shared<ReadChunk>(ReadChunk{*std::move(chunk), *std::move(buffer), {}});
    COHORT_TRY(reader.read(read->chunk, read->buffer.bytes()));
    if (request_.wants_content_hash) {
      for (std::size_t i = 0; i < read->chunk.blocks.size(); ++i) {
        read->digests[i] = digest_of_block(within_disk(*read, i));
      }
    }
    return read;
  }

  // The i-th block's bytes, as far as the disk goes.
  [[nodiscard]] std::span<const std::byte> within_disk(const ReadChunk& read, std::size_t i) const {
    const std::uint64_t rest = request_.source.virtual_size() - read.chunk.blocks[i] * kBlockBytes;
    return read.bytes().subspan(i * kBlockBytes, std::min(rest, kBlockBytes));
  }

  // How many blocks from the i-th on are neighbours in the target, too.
  [[nodiscard]] std::size_t neighbours(const Chunk& chunk, std::size_t i) const {
    const std::uint64_t place = place_of(chunk, i);
    std::size_t count = 1;
    while (i + count < chunk.blocks.size() && place_of(chunk, i + count) == place + count * kBlockBytes) ++count;
    return count;
  }
  [[nodiscard]] std::uint64_t place_of(const Chunk& chunk, std::size_t i) const {
    return layout_.place_of(chunk.blocks[i], chunk.blocks_before + i);
  }

  Result<void> write(const ReadChunk& read) {
    for (std::size_t i = 0; i < read.chunk.blocks.size();) {
      const std::size_t cloned = clone(read, i);
      if (cloned > 0) {
        i += cloned;
        continue;
      }
      const std::size_t count = neighbours(read.chunk, i);
      COHORT_TRY(output_.write(place_of(read.chunk, i), read.bytes().subspan(i * kBlockBytes, count * kBlockBytes)));
      i += count;
    }
    return {};
  }

  // How many blocks from the i-th on the target shares with the source now.
  std::size_t clone(const ReadChunk& read, std::size_t i) {
    if (!output_.may_clone()) return 0;
    const auto range = clonable_from(read.chunk, read.bytes(), i);
    if (!range) return 0;
    const int fd = request_.source.descriptor(range->file);
    const std::size_t count = std::min(range->blocks, neighbours(read.chunk, i));
    const bool is_cloned =
        fd >= 0 && output_.clone(fd, range->file_offset, place_of(read.chunk, i), count * kBlockBytes);
    return is_cloned ? count : 0;
  }

  void hash_chunks() {
    const std::stop_token stop = outcome_.stop();
    const std::uint64_t chunks = (map_.blocks() + Chunk::kMaxBlocks - 1) / Chunk::kMaxBlocks;
    std::uint64_t hashed = 0;
    for (std::uint64_t number = 0; number < chunks; ++number) {
      const auto read = chunks_.take(number, stop);
      if (!read || !hash(**read)) return;
      hashed += (*read)->chunk.blocks.size();
      report(layout_.head_blocks() + std::min(hashed, written_.load()));
    }
    static_cast<void>(hash_.add(layout_.file_size(), {}, stop));
  }

  // False when all shall stop.
  bool hash(const ReadChunk& read) {
    const Chunk& chunk = read.chunk;
    for (std::size_t i = 0; i < chunk.blocks.size(); ++i) {
      const std::uint64_t place = place_of(chunk, i);
      const std::uint64_t length = std::min(kBlockBytes, layout_.file_size() - place);
      if (!hash_.add(place, read.bytes().subspan(i * kBlockBytes, length), outcome_.stop())) return false;
      if (!read.digests[i].empty()) content_.add(chunk.blocks[i] * kBlockBytes, read.digests[i]);
    }
    return true;
  }

  void report(std::uint64_t blocks) {
    if (on_progress_) on_progress_(blocks * kBlockBytes);
  }

  const CopyRequest& request_;
  const BlockMap& map_;
  const CopyLayout& layout_;
  OutputFile& output_;
  const std::function<void(std::uint64_t)>& on_progress_;
  Outcome outcome_;
  FileHash hash_;
  DirectFiles files_;
  ContentHash content_;
  std::mutex plan_mutex_;
  OrderedQueue<SharedChunk> chunks_;
  std::atomic<std::uint64_t> written_ = 0;  // blocks
};

}  // namespace

Result<PlannedCopy> plan_copy(const DiskSource& source, const std::string& format, const std::stop_token& stop) {
  COHORT_ASSIGN(const BlockMap map, BlockMap::of(source, stop));
  COHORT_ASSIGN(const auto layout, lay_out(format, map, source.virtual_size()));
  return PlannedCopy{(layout->head_blocks() + map.blocks()) * kBlockBytes, layout->file_size()};
}

Result<CopiedImage> copy_disk(const CopyRequest& request, const std::stop_token& stop,
                              const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const BlockMap map, BlockMap::of(request.source, stop));
  COHORT_ASSIGN(const auto layout, lay_out(request.format, map, request.source.virtual_size()));
  COHORT_ASSIGN(const auto output, OutputFile::create(request.target, layout->file_size()));
  Copying copying(request, map, *layout, *output, stop, on_progress);
  COHORT_ASSIGN(CopiedImage image, copying.run());
  output->keep();
  return image;
}

}  // namespace cohort::disk
