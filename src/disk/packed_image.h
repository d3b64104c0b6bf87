// A new qcow2 file with packed clusters, written front to back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "disk/append_file.h"
#include "disk/difference.h"
#include "disk/new_qcow2_header.h"

namespace cohort::disk {

// How much a cluster takes is known when it is packed, so tables follow what they are of: each L2 table its clusters,
// each refcount block the part of the file that it counts, the L1 table and the refcount table all of it. The header
// tells where those two are, and is put in last. Memory: two refcount blocks, an L2 table, and 8 bytes for each 512 MiB
// of the disk and each 2 GiB of the file.
// One thread at a time.
class PackedImage {
 public:
  // Errors: see NewQcow2Header::check. The map must outlive it.
  [[nodiscard]] static Result<PackedImage> begin(AppendFile& file, std::uint64_t virtual_size, const BlockMap& stored);
  // On the parent.
  [[nodiscard]] static Result<PackedImage> begin(AppendFile& file, std::uint64_t virtual_size, const DifferenceMap& map,
                                                 const Parent& parent);

  // The next block of those that are stored: packed by ClusterPacker, a whole cluster as it is, or empty if it is all
  // zero.
  [[nodiscard]] Result<void> add(std::uint64_t block, std::span<const std::byte> content);
  [[nodiscard]] std::uint64_t virtual_size() const { return header_.virtual_size; }  // bytes, as the image says it
  // After the last block. The file is complete, but not synced.
  [[nodiscard]] Result<void> finish();

 private:
  using Counts = std::vector<std::uint16_t>;
  PackedImage(AppendFile& file, NewQcow2Header header, const BlockMap& stored, const BlockMap* cleared);

  [[nodiscard]] Result<void> start();
  [[nodiscard]] Result<std::uint64_t> append_clusters(std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> append_table();
  [[nodiscard]] Result<void> append_full_refcount_blocks();
  [[nodiscard]] Result<void> append_refcounts();
  [[nodiscard]] std::vector<std::byte> take_refcount_block(std::uint64_t number);
  void begin_table();
  void count(std::uint64_t begin, std::uint64_t end);

  AppendFile* file_;
  NewQcow2Header header_;
  const BlockMap* cleared_;            // none in an image that stands alone
  std::vector<std::uint64_t> groups_;  // that have an L2 table
  std::size_t group_ = 0;              // which of them is being made
  std::vector<std::byte> table_;       // its L2 table
  std::vector<std::byte> l1_;
  std::map<std::uint64_t, Counts> counts_;      // of the refcount blocks that are not in the file yet
  std::vector<std::uint64_t> refcount_blocks_;  // where those are that are in the file, bytes
};

}  // namespace cohort::disk
