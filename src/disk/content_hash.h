// A hash of what a guest sees on a disk, whatever format its files have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/sha256.h"
#include "disk/append_file.h"
#include "disk/block_hashes.h"
#include "disk/block_map.h"

namespace cohort::disk {

struct HashedContent {
  std::string content_hash;      // 64 lower-case hex digits
  std::uint64_t list_bytes = 0;  // length of the list of block hashes
};

// The content hash is the SHA-256 of these lines of text, each ended by a line feed:
//   - the disk's virtual size in bytes, in decimal;
//   - for each block of 64 KiB of the disk that is not all zero, in the order of the disk: its offset in bytes, in
//     decimal, one space, and the SHA-256 of the block's bytes as 64 lower-case hex digits. The last block ends where
//     the disk ends.
// Blocks that are all zero have no line, so holes cost nothing, and it makes no difference whether zeros are stored.
//
// The lines themselves can be kept as a file, the list of block hashes: from it, and from the blocks that have changed
// since, the hash of a later state is told without a reading of the whole disk.
class ContentHash {
 public:
  // Of a disk of which all blocks that are not zero are told. `list` must not exist; empty: no list is written.
  [[nodiscard]] static Result<ContentHash> of_all(std::uint64_t virtual_size, const Path& list);
  // Of a disk that reads as its parent, but for the blocks that are told and for those `cleared`, which are zero now.
  // The map must outlive it. Fails as BlockHashReader does, here and later.
  [[nodiscard]] static Result<ContentHash> of_changed(std::uint64_t virtual_size, const Path& list,
                                                      const BlockHashList& parent, const BlockMap& cleared);

  // The next block, in ascending order. `sha256` as digest_of_block gives it.
  [[nodiscard]] Result<void> add(std::uint64_t offset, const std::string& sha256);
  // After the last block. The list is synced, but gone again unless keep() is called.
  [[nodiscard]] Result<HashedContent> finish();
  void keep();

 private:
  // What has not changed since the parent.
  struct Unchanged {
    BlockHashReader lines;
    std::optional<BlockHash> next;
    BlockWalk cleared;
    std::optional<std::uint64_t> next_cleared;  // the number of the block
  };

  [[nodiscard]] static Result<ContentHash> begin(std::uint64_t virtual_size, const Path& list);
  [[nodiscard]] Result<void> put(std::string_view line);
  [[nodiscard]] Result<void> put(const BlockHash& block);
  // The parent's blocks before `offset`; leaves out the one there.
  [[nodiscard]] Result<void> put_unchanged(std::uint64_t offset);
  [[nodiscard]] bool is_cleared(std::uint64_t offset);

  Sha256 lines_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<AppendFile> list_;
  std::unique_ptr<Unchanged> unchanged_;
};

// The SHA-256 for a block's line; empty if it has none.
[[nodiscard]] std::string digest_of_block(std::span<const std::byte> block);

}  // namespace cohort::disk
