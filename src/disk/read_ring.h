// Several reads at once from one thread, through io_uring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace cohort::disk {

// Threads: one at a time.
class ReadRing {
 public:
  struct Request {
    int fd = -1;
    std::uint64_t offset = 0;  // of the file, bytes
    std::span<std::byte> into;
  };

  // Nothing where the kernel has no io_uring or refuses it (containers, kernel.io_uring_disabled).
  [[nodiscard]] static std::unique_ptr<ReadRing> open();
  ~ReadRing();
  ReadRing(const ReadRing&) = delete;
  ReadRing& operator=(const ReadRing&) = delete;

  // True if all were read whole. If not, who wants to know why reads again with pread. When it returns, the kernel has
  // done with the memory.
  [[nodiscard]] bool read(std::span<const Request> requests);

 private:
  struct Impl;
  explicit ReadRing(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cohort::disk
