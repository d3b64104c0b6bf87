// What a disk consists of, in the order of the disk.
#pragma once

#include <cstdint>

namespace cohort::disk {

enum class ExtentKind : std::uint8_t {
  kZero,        // reads as zeros; nothing is stored
  kData,        // stored as it is
  kCompressed,  // one compressed cluster, or a part of it
};

struct Extent {
  std::uint64_t offset = 0;  // of the disk, bytes
  std::uint64_t length = 0;  // bytes, > 0
  ExtentKind kind = ExtentKind::kZero;
  std::uint32_t file = 0;  // kData, kCompressed: which of the source's files
  std::uint64_t file_offset =
      0;  // kData: where `offset` is in that file; kCompressed: where the compressed data begins
  std::uint32_t stored_bytes = 0;  // kCompressed: at most so many bytes are to be read there
  std::uint32_t skip = 0;          // kCompressed: the extent begins so many bytes within the cluster

  friend bool operator==(const Extent&, const Extent&) = default;
};

// The `length` bytes of the extent that begin `begin` bytes after its start.
// REQUIRES: begin + length <= extent.length.
[[nodiscard]] Extent part_of(const Extent& extent, std::uint64_t begin, std::uint64_t length);

// Makes the extent longer by `next`, which follows it on the disk, if one extent can say both.
[[nodiscard]] bool join(Extent& extent, const Extent& next);

}  // namespace cohort::disk
