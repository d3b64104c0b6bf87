// Reading a disk's files past the page cache (O_DIRECT), where that is quicker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "disk/source.h"

namespace cohort::disk {

// What is not in memory yet takes less of the processor that way and comes in larger requests, and what other programs
// need stays in memory. What is there already is read from there.
// Threads: any number at once. The source must outlive it.
class DirectFiles {
 public:
  // Of the offset in the file, the memory and the length.
  static constexpr std::uint64_t kAlignment = 4096;

  explicit DirectFiles(const DiskSource& source);
  ~DirectFiles();
  DirectFiles(const DirectFiles&) = delete;
  DirectFiles& operator=(const DirectFiles&) = delete;

  // The file from which these bytes are read best: opened for O_DIRECT, or as the source has it; -1 if it has none.
  // It stays open as long as this object.
  [[nodiscard]] int best_for(std::uint32_t file, std::uint64_t offset, std::span<const std::byte> into);

 private:
  class File;
  const File* find(std::uint32_t file);

  const DiskSource& source_;
  std::mutex mutex_;
  std::map<std::uint32_t, std::unique_ptr<const File>> files_;  // nothing for those that cannot be read like this
};

}  // namespace cohort::disk
