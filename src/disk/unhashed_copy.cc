#include "disk/unhashed_copy.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "disk/block_map.h"
#include "disk/block_writer.h"
#include "disk/chunk_plan.h"
#include "disk/chunk_reader.h"
#include "disk/copy_task.h"
#include "disk/direct_files.h"
#include "disk/write_head.h"

namespace cohort::disk {
namespace {

// Beside the calling thread; see copy.cc.
constexpr std::size_t kHelpers = 3;

class UnhashedCopying {
 public:
  UnhashedCopying(const CopyTask& task, const std::stop_token& stop)
      : task_(task),
        writer_(task.request.source, task.layout, task.output),
        outcome_(stop),
        files_(task.request.source) {}

  Result<CopiedImage> run() {
    COHORT_TRY(write_head(task_.layout, task_.output, task_.request.resources.buffers, outcome_.stop(),
                          [this](std::uint64_t offset, std::span<const std::byte> bytes) {
                            task_.report((offset + bytes.size()) / kBlockBytes);
                          }));
    COHORT_ASSIGN(auto cursor, task_.request.source.extents());
    ChunkPlan plan(task_.map, std::move(cursor));
    {
      std::vector<std::jthread> helpers;
      for (std::size_t i = 0; i < kHelpers; ++i) helpers.emplace_back([&] { work(plan, false); });
      work(plan, true);
    }
    COHORT_TRY(task_.sync(outcome_));
    task_.report(task_.layout.head_blocks() + task_.map.blocks());
    return CopiedImage{task_.layout.virtual_size(), task_.layout.file_size(), {}, {}, 0};
  }

 private:
  // The top of a helper's thread, too.
  void work(ChunkPlan& plan, bool is_caller) {
    const ChunkReader reader(task_.request.source, files_);
    while (!outcome_.stop().stop_requested()) {
      const auto chunk = next(plan);
      if (!chunk) return outcome_.fail(chunk.error());
      if (!*chunk) return;
      if (auto copied = copy(**chunk, reader); !copied) return outcome_.fail(std::move(copied).error());
      done_ += (*chunk)->blocks.size();
      if (is_caller) task_.report(task_.layout.head_blocks() + done_);
    }
  }

  Result<std::optional<Chunk>> next(ChunkPlan& plan) {
    const std::lock_guard lock(mutex_);
    return plan.next();
  }

  Result<void> copy(const Chunk& chunk, const ChunkReader& reader) {
    std::size_t shared = 0;
    while (shared < chunk.blocks.size()) {
      const std::size_t more = writer_.share(chunk, {}, shared);
      if (more == 0) return read_and_write(chunk, reader, shared);
      shared += more;
    }
    return {};
  }

  Result<void> read_and_write(const Chunk& chunk, const ChunkReader& reader, std::size_t first) {
    if (!task_.request.resources.limiter.acquire(chunk.blocks.size() * kBlockBytes, outcome_.stop())) return {};
    const auto buffer = task_.request.resources.buffers.take(outcome_.stop());
    if (!buffer) return {};
    COHORT_TRY(reader.read(chunk, buffer->bytes()));
    return writer_.write(chunk, buffer->bytes().first(chunk.blocks.size() * kBlockBytes), first);
  }

  CopyTask task_;
  BlockWriter writer_;
  CopyOutcome outcome_;
  DirectFiles files_;
  std::mutex mutex_;                     // of the plan
  std::atomic<std::uint64_t> done_ = 0;  // blocks
};

}  // namespace

Result<CopiedImage> copy_unhashed(const CopyRequest& request, const std::stop_token& stop,
                                  const std::function<void(std::uint64_t done)>& on_progress) {
  COHORT_ASSIGN(const BlockMap map, BlockMap::of(request.source, stop));
  COHORT_ASSIGN(const auto layout, lay_out(request.format, map, request.source.virtual_size()));
  COHORT_ASSIGN(const auto output, OutputFile::create(request.target, layout->file_size()));
  UnhashedCopying copying({request, map, *layout, *output, on_progress}, stop);
  COHORT_ASSIGN(CopiedImage image, copying.run());
  output->keep();
  return image;
}

}  // namespace cohort::disk
