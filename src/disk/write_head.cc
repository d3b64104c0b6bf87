#include "disk/write_head.h"

#include <algorithm>

#include "disk/chunk_plan.h"

namespace cohort::disk {

Result<void> write_head(const CopyLayout& layout, OutputFile& output, BufferPool& buffers, const std::stop_token& stop,
                        const std::function<void(std::uint64_t offset, std::span<const std::byte> bytes)>& on_written) {
  const auto buffer = buffers.take(stop);
  for (std::uint64_t done = 0; buffer && done < layout.head_blocks() && !stop.stop_requested();) {
    const std::uint64_t count = std::min<std::uint64_t>(layout.head_blocks() - done, Chunk::kMaxBlocks);
    const auto bytes = buffer->bytes().first(count * kBlockBytes);
    for (std::uint64_t i = 0; i < count; ++i) {
      layout.fill_head_block(done + i, bytes.subspan(i * kBlockBytes, kBlockBytes));
    }
    COHORT_TRY(output.write(done * kBlockBytes, bytes));
    on_written(done * kBlockBytes, bytes);
    done += count;
  }
  return {};
}

}  // namespace cohort::disk
