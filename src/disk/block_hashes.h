// The list of a disk's block hashes, as a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "base/sha256.h"

namespace cohort::disk {

// A file with the lines that a content hash is of (content_hash.h): the hash of the file is the content hash.
struct BlockHashList {
  Path file;
  std::string content_hash;  // that it has to have, lower-case hex
};

struct BlockHash {
  std::uint64_t offset = 0;  // bytes; of the block on the disk
  std::string sha256;        // 64 lower-case hex digits
};

// Reads a list, which a stranger may have written, once and from its start. Memory: a piece of it.
class BlockHashReader {
 public:
  // kCorrupt if it is not of a disk of that size; kNotFound, kPermission, kIo.
  [[nodiscard]] static Result<BlockHashReader> open(const BlockHashList& list, std::uint64_t virtual_size);

  // Nothing after the last; by then it is known that the list has its hash. kCorrupt, naming the file, if it has not,
  // or for a line that cannot be.
  [[nodiscard]] Result<std::optional<BlockHash>> next();

 private:
  BlockHashReader(BlockHashList list, UniqueFd fd, std::uint64_t virtual_size)
      : list_(std::move(list)), fd_(std::move(fd)), virtual_size_(virtual_size) {}

  // Without its line feed, valid until the next call; nothing at the end of the file.
  [[nodiscard]] Result<std::optional<std::string_view>> next_line();
  [[nodiscard]] Failure damaged(std::string_view what) const;

  BlockHashList list_;
  UniqueFd fd_;
  std::uint64_t virtual_size_;
  Sha256 hash_;
  std::string piece_;
  std::size_t place_ = 0;       // in the piece
  std::uint64_t read_ = 0;      // bytes of the file
  std::uint64_t expected_ = 0;  // the lowest offset that the next line can have
};

}  // namespace cohort::disk
