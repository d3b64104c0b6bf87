// A hash of what a guest sees on a disk, whatever format its files have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/sha256.h"

namespace cohort::disk {

// The content hash is the SHA-256 of these lines of text, each ended by a line feed:
//   - the disk's virtual size in bytes, in decimal;
//   - for each block of 64 KiB of the disk that is not all zero, in the order of the disk: its offset in bytes, in
//     decimal, one space, and the SHA-256 of the block's bytes as 64 lower-case hex digits. The last block ends where
//     the disk ends.
// Blocks that are all zero have no line, so holes cost nothing, and it makes no difference whether zeros are stored.
class ContentHash {
 public:
  explicit ContentHash(std::uint64_t virtual_size);
  // The blocks that are not all zero, in ascending order. `sha256` as Sha256::finish gives it.
  void add(std::uint64_t offset, const std::string& sha256);
  // 64 lower-case hex digits; the object is spent.
  [[nodiscard]] std::string finish() { return lines_.finish(); }

 private:
  Sha256 lines_;
};

// The SHA-256 for a block's line; empty if it has none.
[[nodiscard]] std::string digest_of_block(std::span<const std::byte> block);

}  // namespace cohort::disk
