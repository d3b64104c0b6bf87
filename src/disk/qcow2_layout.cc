#include "disk/qcow2_layout.h"

#include <algorithm>
#include <utility>

#include "base/big_endian.h"
#include "disk/qcow2_header.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t divided_up(std::uint64_t number, std::uint64_t by) { return number / by + (number % by != 0); }

NewQcow2Header header_for(std::uint64_t virtual_size) {
  return {.virtual_size = divided_up(virtual_size, kSector) * kSector, .parent = {}};
}

}  // namespace

Result<std::unique_ptr<CopyLayout>> Qcow2Layout::plan(const BlockMap& map, std::uint64_t virtual_size) {
  NewQcow2Header header = header_for(virtual_size);
  COHORT_TRY(header.check());
  return std::unique_ptr<CopyLayout>(new Qcow2Layout(map, nullptr, std::move(header)));
}

Result<std::unique_ptr<CopyLayout>> Qcow2Layout::plan(const DifferenceMap& map, const Parent& parent,
                                                      std::uint64_t virtual_size) {
  NewQcow2Header header = header_for(virtual_size);
  header.parent = parent;
  COHORT_TRY(header.check());
  return std::unique_ptr<CopyLayout>(new Qcow2Layout(map.stored, &map.cleared, std::move(header)));
}

Qcow2Layout::Qcow2Layout(const BlockMap& map, const BlockMap* cleared, NewQcow2Header header)
    : map_(map),
      cleared_(cleared),
      header_(std::move(header)),
      tables_(groups_of(map, cleared)),
      l1_clusters_(divided_up(header_.l1_entries(), kTableEntries)) {
  // The counts have to count themselves.
  while (true) {
    const std::uint64_t blocks = divided_up(clusters(), kRefcounts);
    const std::uint64_t table = divided_up(blocks, kTableEntries);
    if (blocks == refcount_block_clusters_ && table == table_clusters_) break;
    refcount_block_clusters_ = blocks;
    table_clusters_ = table;
  }
  header_.l1_cluster = l1_table();
  header_.refcount_cluster = refcount_table();
  header_.refcount_clusters = table_clusters_;
}

std::uint64_t Qcow2Layout::head_blocks() const { return l2_tables() + tables_.size(); }
std::uint64_t Qcow2Layout::clusters() const { return head_blocks() + map_.blocks(); }
std::uint64_t Qcow2Layout::file_size() const { return clusters() * kClusterBytes; }
std::uint64_t Qcow2Layout::place_of(std::uint64_t /*block*/, std::uint64_t blocks_before) const {
  return (head_blocks() + blocks_before) * kClusterBytes;
}

void Qcow2Layout::fill_head_block(std::uint64_t number, std::span<std::byte> into) const {
  std::ranges::fill(into, std::byte{0});
  if (number < refcount_table()) return header_.fill(into);
  if (number < refcount_blocks()) return fill_refcount_table(number - refcount_table(), into);
  if (number < l1_table()) return fill_refcount_block(number - refcount_blocks(), into);
  if (number < l2_tables()) return fill_l1_table(number - l1_table(), into);
  fill_l2_table(tables_[number - l2_tables()], into);
}

void Qcow2Layout::fill_refcount_table(std::uint64_t part, std::span<std::byte> into) const {
  const std::uint64_t first = part * kTableEntries;
  const std::uint64_t count = std::min(refcount_block_clusters_ - first, kTableEntries);
  for (std::uint64_t i = 0; i < count; ++i) {
    put_big_endian(into, i * 8, (refcount_blocks() + first + i) * kClusterBytes);
  }
}

void Qcow2Layout::fill_refcount_block(std::uint64_t part, std::span<std::byte> into) const {
  const std::uint64_t count = std::min(clusters() - part * kRefcounts, kRefcounts);
  for (std::uint64_t i = 0; i < count; ++i) put_big_endian(into, i * 2, std::uint16_t{1});
}

void Qcow2Layout::fill_l1_table(std::uint64_t part, std::span<std::byte> into) const {
  auto group = std::ranges::lower_bound(tables_, part * kTableEntries);
  for (; group != tables_.end() && *group < (part + 1) * kTableEntries; ++group) {
    const auto table = l2_tables() + static_cast<std::uint64_t>(group - tables_.begin());
    put_big_endian(into, *group % kTableEntries * 8, table * kClusterBytes | kUsedOnce);
  }
}

void Qcow2Layout::fill_l2_table(std::uint64_t group, std::span<std::byte> into) const {
  fill_cleared(cleared_, group, into);
  const BlockMap::Group* stored = map_.group(group);
  if (stored == nullptr) return;
  std::uint64_t before = stored->before;
  for (std::uint64_t block = 0; block < kTableEntries; ++block) {
    if (stored->contains(block)) put_big_endian(into, block * 8, place_of(block, before++) | kUsedOnce);
  }
}

}  // namespace cohort::disk
