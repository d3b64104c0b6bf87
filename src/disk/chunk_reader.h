// Filling a buffer from a disk.
#pragma once

#include <memory>
#include <span>

#include "disk/chunk_plan.h"
#include "disk/direct_files.h"
#include "disk/read_ring.h"

namespace cohort::disk {

// Threads: one at a time. The source and its files must outlive it.
class ChunkReader {
 public:
  ChunkReader(const DiskSource& source, DirectFiles& files) : source_(source), files_(files), ring_(ReadRing::open()) {}

  // Reads a chunk's blocks; what no piece covers becomes zero.
  // REQUIRES: `into` is as large as BufferPool::kBufferBytes. Errors: see DiskSource::read.
  [[nodiscard]] Result<void> read(const Chunk& chunk, std::span<std::byte> into) const;

 private:
  void announce_compressed(const Chunk& chunk) const;
  [[nodiscard]] bool read_at_once(const Chunk& chunk, std::span<std::byte> into) const;

  const DiskSource& source_;
  DirectFiles& files_;
  std::unique_ptr<ReadRing> ring_;  // not everywhere
};

}  // namespace cohort::disk
