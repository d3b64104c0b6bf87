// Which blocks of a chunk are stored in the source as the target wants them, so that both can share them (reflink).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "disk/chunk_plan.h"

namespace cohort::disk {

struct ClonableRange {
  std::uint32_t file = 0;         // of the source
  std::uint64_t file_offset = 0;  // bytes; a multiple of kCloneBytes
  std::size_t blocks = 0;         // > 0
};

// What file systems share: a multiple of it, from a multiple of it on.
inline constexpr std::uint64_t kCloneBytes = 4096;

// The blocks from the i-th on that are whole in one kData piece, as far as they have something: blocks of zeros become
// holes. Nothing if the i-th is none of them. `bytes` is what was read of the chunk; if it is empty, zeros are not
// told.
[[nodiscard]] std::optional<ClonableRange> clonable_from(const Chunk& chunk, std::span<const std::byte> bytes,
                                                         std::size_t i);

}  // namespace cohort::disk
