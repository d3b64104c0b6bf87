// The head of a qcow2 file that is written here: version 3, clusters of 64 KiB, 16-bit reference counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "disk/block_map.h"
#include "disk/difference.h"

namespace cohort::disk {

inline constexpr std::uint64_t kClusterBytes = kBlockBytes;
inline constexpr std::uint64_t kTableEntries = kClusterBytes / 8;    // of a cluster of an L1, L2 or refcount table
inline constexpr std::uint64_t kRefcounts = kClusterBytes / 2;       // of a refcount block
inline constexpr std::uint64_t kUsedOnce = std::uint64_t{1} << 63U;  // QCOW_OFLAG_COPIED
inline constexpr std::uint64_t kReadsAsZeros = 1;                    // an L2 entry: hides what lies below
static_assert(kTableEntries == BlockMap::kGroupBlocks);

struct NewQcow2Header {
  std::uint64_t virtual_size = 0;  // bytes, a multiple of 512
  std::uint64_t l1_cluster = 0;    // where the tables begin, in clusters
  std::uint64_t refcount_cluster = 0;
  std::uint64_t refcount_clusters = 0;  // of the table
  bool has_zstd_clusters = false;
  std::optional<Parent> parent;

  [[nodiscard]] std::uint64_t l1_entries() const;
  // kUnsupported for a disk of more than 2 PiB; kInvalidArgument for a parent's name of more than 1023 bytes.
  [[nodiscard]] Result<void> check() const;
  // REQUIRES: check() succeeds; `into` is a cluster of zeros.
  void fill(std::span<std::byte> into) const;
};

// The groups of the disk that need an L2 table, ascending. `cleared` may be null.
[[nodiscard]] std::vector<std::uint64_t> groups_of(const BlockMap& stored, const BlockMap* cleared);

// The entries of a group's L2 table for blocks that hide what lies below. `cleared` may be null.
void fill_cleared(const BlockMap* cleared, std::uint64_t group, std::span<std::byte> into);

}  // namespace cohort::disk
