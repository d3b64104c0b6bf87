// The file that a copy is written to.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "base/file.h"
#include "base/result.h"
#include "disk/early_sync.h"
#include "disk/new_file.h"

namespace cohort::disk {

// Written past the page cache (O_DIRECT) where the file system can: it takes a tenth of the processor's time, and what
// others read stays in memory. Synced while it is written (EarlySync).
// Threads: write() from any number at once.
class OutputFile {
 public:
  // The unit of what is left out because it is zero.
  static constexpr std::size_t kPageBytes = 4096;

  // A new one, all holes; gone again unless keep() is called. kAlreadyExists, kNoSpace, …
  [[nodiscard]] static Result<std::unique_ptr<OutputFile>> create(const Path& path, std::uint64_t size);

  // Whole pages that are zero are left as the holes that they are, unless they are few between others. What goes past
  // the size is cut off by sync().
  // REQUIRES: `offset`, the memory and its length are multiples of kPageBytes; nothing was written there before.
  [[nodiscard]] Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);

  // Makes the target share so many bytes of an open file with it (FICLONERANGE): they take no room and are not moved.
  // False where the file systems cannot do that, or not here; then write() them.
  // REQUIRES: as write(), for both offsets.
  [[nodiscard]] bool clone(int source, std::uint64_t source_offset, std::uint64_t offset, std::uint64_t length);
  // False once clone() has failed: it is not worth another attempt.
  [[nodiscard]] bool may_clone() const { return may_clone_; }

  // All that was written is on the storage when it returns; nothing is written afterwards.
  [[nodiscard]] Result<void> sync();
  // REQUIRES: sync() has succeeded, or nothing was written.
  void keep() { file_.keep(); }

 private:
  OutputFile(NewFile file, std::uint64_t size);
  [[nodiscard]] Result<void> write_all(std::uint64_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] ssize_t write_some(std::uint64_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] Failure failure(int error_number, const char* what) const;

  NewFile file_;
  std::uint64_t size_;
  std::atomic<bool> is_direct_;
  std::atomic<bool> may_clone_ = true;
  EarlySync early_;
};

}  // namespace cohort::disk
