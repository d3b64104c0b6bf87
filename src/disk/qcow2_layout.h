// A new qcow2 file (QEMU's docs/interop/qcow2.txt): version 3, clusters of 64 KiB, 16-bit reference counts.
#pragma once

#include "disk/copy_layout.h"

namespace cohort::disk {

// Header, refcount table, refcount blocks, L1 table, L2 tables, and then the blocks of the disk in its order. Each
// cluster of the file is used once.
class Qcow2Layout final : public CopyLayout {
 public:
  // A size that is no multiple of 512 is rounded up to one: the format counts in sectors.
  // kUnsupported for a disk of more than 2 PiB.
  [[nodiscard]] static Result<std::unique_ptr<CopyLayout>> plan(const BlockMap& map, std::uint64_t virtual_size);

  [[nodiscard]] std::uint64_t file_size() const override;
  [[nodiscard]] std::uint64_t virtual_size() const override { return virtual_size_; }
  [[nodiscard]] std::uint64_t head_blocks() const override;
  void fill_head_block(std::uint64_t number, std::span<std::byte> into) const override;
  [[nodiscard]] std::uint64_t place_of(std::uint64_t block, std::uint64_t blocks_before) const override;

 private:
  Qcow2Layout(const BlockMap& map, std::uint64_t virtual_size);
  [[nodiscard]] std::uint64_t clusters() const;
  [[nodiscard]] std::uint64_t refcount_table() const { return 1; }
  [[nodiscard]] std::uint64_t refcount_blocks() const { return refcount_table() + table_clusters_; }
  [[nodiscard]] std::uint64_t l1_table() const { return refcount_blocks() + refcount_block_clusters_; }
  [[nodiscard]] std::uint64_t l2_tables() const { return l1_table() + l1_clusters_; }

  void fill_header(std::span<std::byte> into) const;
  void fill_refcount_table(std::uint64_t part, std::span<std::byte> into) const;
  void fill_refcount_block(std::uint64_t part, std::span<std::byte> into) const;
  void fill_l1_table(std::uint64_t part, std::span<std::byte> into) const;
  void fill_l2_table(const BlockMap::Group& group, std::span<std::byte> into) const;

  const BlockMap& map_;
  std::uint64_t virtual_size_;
  std::uint64_t l1_entries_;
  std::uint64_t l1_clusters_;
  std::uint64_t table_clusters_ = 0;
  std::uint64_t refcount_block_clusters_ = 0;
};

}  // namespace cohort::disk
