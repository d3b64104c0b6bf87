#include "disk/buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>

namespace cohort::disk {

BufferPool::BufferPool(std::uint64_t budget) : not_made_(std::max<std::uint64_t>(budget / kBufferBytes, 1)) {}

// A child that another thread forks would make the kernel copy the pages that are written next, and a read from storage
// that is in flight then ends in the old ones (open(2), O_DIRECT): children do not get this memory.
BufferPool::Memory BufferPool::allocate() {
  Memory memory(static_cast<std::byte*>(::operator new(kBufferBytes, kAlignment)));
  static_cast<void>(::madvise(memory.get(), kBufferBytes, MADV_HUGEPAGE));  // advice
  static_cast<void>(::madvise(memory.get(), kBufferBytes, MADV_DONTFORK));
  return memory;
}

void BufferPool::Free::operator()(std::byte* memory) const {
  static_cast<void>(::madvise(memory, kBufferBytes, MADV_DOFORK));
  ::operator delete(memory, kAlignment);
}

std::optional<BufferPool::Buffer> BufferPool::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!returned_.wait(lock, stop, [&] { return !free_.empty() || not_made_ > 0; })) return std::nullopt;
  if (stop.stop_requested()) return std::nullopt;
  if (free_.empty()) {
    Memory memory = allocate();
    --not_made_;
    return Buffer(*this, std::move(memory));
  }
  Memory memory = std::move(free_.back());
  free_.pop_back();
  return Buffer(*this, std::move(memory));
}

void BufferPool::give_back(Memory memory) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(memory));
  }
  returned_.notify_one();
}

}  // namespace cohort::disk
