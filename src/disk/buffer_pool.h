// The memory for bytes in flight, shared by all disks of a job.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace cohort::disk {

// Gives out buffers of one size, takes them back and gives them out again; at most so many as fit into its budget.
// Threads: any number at once. It must outlive its buffers.
class BufferPool {
  // Of a huge page. O_DIRECT is content with less, but the storage gets larger requests from memory that is in one
  // piece, and the memory costs two page faults instead of a thousand.
  static constexpr std::align_val_t kAlignment{std::size_t{2} << 20U};
  struct Free {
    void operator()(std::byte* memory) const;
  };
  using Memory = std::unique_ptr<std::byte, Free>;

 public:
  static constexpr std::size_t kBufferBytes = std::size_t{4} << 20U;
  static constexpr std::uint64_t kDefaultBudget = 16 * kBufferBytes;

  class Buffer {
   public:
    Buffer(Buffer&&) noexcept = default;
    Buffer& operator=(Buffer&&) = delete;
    ~Buffer() {
      if (memory_) pool_->give_back(std::move(memory_));
    }
    [[nodiscard]] std::span<std::byte> bytes() const { return {memory_.get(), kBufferBytes}; }

   private:
    friend class BufferPool;
    Buffer(BufferPool& pool, Memory memory) : pool_(&pool), memory_(std::move(memory)) {}
    BufferPool* pool_;
    Memory memory_;
  };

  // Bytes; one buffer at least.
  explicit BufferPool(std::uint64_t budget = kDefaultBudget);

  // Waits until there is one; nothing if `stop` was requested before. What is in it is left from its last use.
  [[nodiscard]] std::optional<Buffer> take(const std::stop_token& stop);

 private:
  static Memory allocate();
  void give_back(Memory memory);

  std::mutex mutex_;
  std::condition_variable_any returned_;
  std::vector<Memory> free_;
  std::uint64_t not_made_;  // buffers that the budget has left
};

}  // namespace cohort::disk
