// Filling a buffer from a disk.
#pragma once

#include <span>

#include "disk/chunk_plan.h"

namespace cohort::disk {

// Reads a chunk's blocks; what no piece covers becomes zero.
// REQUIRES: `into` is as large as BufferPool::kBufferBytes. Errors: see DiskSource::read.
[[nodiscard]] Result<void> read_chunk(const DiskSource& source, const Chunk& chunk, std::span<std::byte> into);

}  // namespace cohort::disk
