// A new qcow2 file (QEMU's docs/interop/qcow2.txt).
#pragma once

#include <vector>

#include "disk/copy_layout.h"
#include "disk/new_qcow2_header.h"

namespace cohort::disk {

// Header, refcount table, refcount blocks, L1 table, L2 tables, and then the blocks of the disk in its order. Each
// cluster of the file is used once.
class Qcow2Layout final : public CopyLayout {
 public:
  // A size that is no multiple of 512 is rounded up to one: the format counts in sectors.
  // Errors: see NewQcow2Header::check.
  [[nodiscard]] static Result<std::unique_ptr<CopyLayout>> plan(const BlockMap& map, std::uint64_t virtual_size);
  // On the parent.
  [[nodiscard]] static Result<std::unique_ptr<CopyLayout>> plan(const DifferenceMap& map, const Parent& parent,
                                                                std::uint64_t virtual_size);

  [[nodiscard]] std::uint64_t file_size() const override;
  [[nodiscard]] std::uint64_t virtual_size() const override { return header_.virtual_size; }
  [[nodiscard]] std::uint64_t head_blocks() const override;
  void fill_head_block(std::uint64_t number, std::span<std::byte> into) const override;
  [[nodiscard]] std::uint64_t place_of(std::uint64_t block, std::uint64_t blocks_before) const override;

 private:
  Qcow2Layout(const BlockMap& map, const BlockMap* cleared, NewQcow2Header header);
  [[nodiscard]] std::uint64_t clusters() const;
  [[nodiscard]] std::uint64_t refcount_table() const { return 1; }
  [[nodiscard]] std::uint64_t refcount_blocks() const { return refcount_table() + table_clusters_; }
  [[nodiscard]] std::uint64_t l1_table() const { return refcount_blocks() + refcount_block_clusters_; }
  [[nodiscard]] std::uint64_t l2_tables() const { return l1_table() + l1_clusters_; }

  void fill_refcount_table(std::uint64_t part, std::span<std::byte> into) const;
  void fill_refcount_block(std::uint64_t part, std::span<std::byte> into) const;
  void fill_l1_table(std::uint64_t part, std::span<std::byte> into) const;
  void fill_l2_table(std::uint64_t group, std::span<std::byte> into) const;

  const BlockMap& map_;
  const BlockMap* cleared_;  // none in an image that stands alone
  NewQcow2Header header_;
  std::vector<std::uint64_t> tables_;  // the groups that have an L2 table, in the order of the disk
  std::uint64_t l1_clusters_;
  std::uint64_t table_clusters_ = 0;
  std::uint64_t refcount_block_clusters_ = 0;
};

}  // namespace cohort::disk
