// Which parts of a disk have something stored.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "disk/source.h"

namespace cohort::disk {

// The unit of a copy: a cluster of the target, and what is hashed by itself.
inline constexpr std::uint64_t kBlockBytes = std::uint64_t{64} << 10U;

// The blocks that are not wholly in zero extents. It is asked for instead of the source's extents whenever the same
// answer is needed twice: holes of a file come and go with the page cache and the file system's tidying.
// Takes 1 KiB for each 512 MiB of the disk that are stored in part, and 24 bytes for each that has anything.
class BlockMap {
 public:
  // As many as one L2 table of the target has entries.
  static constexpr std::uint64_t kGroupBlocks = 8192;

  // Walks over the disk once. kUnsupported if it would take more than 128 MiB; kCancelled.
  [[nodiscard]] static Result<BlockMap> of(const DiskSource& source, const std::stop_token& stop);

  struct Group {
    std::uint64_t index = 0;   // of the group on the disk
    std::uint64_t before = 0;  // blocks of the map in all earlier groups
    std::uint64_t count = 0;   // blocks of the map in this one, > 0
    // One for each block; nothing when all are in the map.
    std::unique_ptr<std::array<std::uint64_t, kGroupBlocks / 64>> bits;

    // REQUIRES: block < kGroupBlocks; counted from the start of the group.
    [[nodiscard]] bool contains(std::uint64_t block) const;
  };
  // The groups that have any, in the order of the disk.
  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] std::uint64_t blocks() const;
  // Nothing where the group has none.
  [[nodiscard]] const Group* group(std::uint64_t index) const;

  // The blocks from `first` to before `end`. kUnsupported as above.
  // REQUIRES: first < end; none of them, or after them, is in the map.
  [[nodiscard]] Result<void> add(std::uint64_t first, std::uint64_t end);

 private:
  Result<void> add_to_group(std::uint64_t index, std::uint64_t first, std::uint64_t end);

  std::vector<Group> groups_;
  std::uint64_t bitmaps_ = 0;
};

// Walks over the blocks of a map in the order of the disk. The map must outlive it.
class BlockWalk {
 public:
  explicit BlockWalk(const BlockMap& map) : groups_(map.groups()) {}
  // The number of the block on the disk; nothing after the last.
  [[nodiscard]] std::optional<std::uint64_t> next();

 private:
  const std::vector<BlockMap::Group>& groups_;
  std::size_t group_ = 0;
  std::uint64_t block_ = 0;  // in the group
};

}  // namespace cohort::disk
