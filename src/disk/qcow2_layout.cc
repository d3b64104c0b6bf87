#include "disk/qcow2_layout.h"

#include <algorithm>

#include "base/big_endian.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kClusterBytes = kBlockBytes;
constexpr std::uint32_t kClusterBits = 16;
constexpr std::uint64_t kEntries = kClusterBytes / 8;         // of a cluster of a table
constexpr std::uint64_t kCounts = kClusterBytes / 2;          // of a refcount block
constexpr std::uint64_t kMaxL1Entries = 4U << 20U;            // QEMU's own bound
constexpr std::uint64_t kUsedOnce = std::uint64_t{1} << 63U;  // QCOW_OFLAG_COPIED
static_assert(kEntries == BlockMap::kGroupBlocks);

constexpr std::uint64_t divided_up(std::uint64_t number, std::uint64_t by) { return number / by + (number % by != 0); }

// Puts numbers one after the other.
class BigEndianWriter {
 public:
  explicit BigEndianWriter(std::span<std::byte> into) : into_(into) {}
  template <typename Number>
  void put(Number number) {
    put_big_endian(into_, place_, number);
    place_ += sizeof(Number);
  }

 private:
  std::span<std::byte> into_;
  std::size_t place_ = 0;
};

}  // namespace

Result<std::unique_ptr<CopyLayout>> Qcow2Layout::plan(const BlockMap& map, std::uint64_t virtual_size) {
  if (virtual_size > kMaxL1Entries * kEntries * kClusterBytes) {
    return fail(ErrorCode::kUnsupported, "A disk of {} bytes is too large for qcow2 with clusters of 64 KiB.",
                virtual_size);
  }
  return std::unique_ptr<CopyLayout>(new Qcow2Layout(map, divided_up(virtual_size, kSector) * kSector));
}

Qcow2Layout::Qcow2Layout(const BlockMap& map, std::uint64_t virtual_size)
    : map_(map),
      virtual_size_(virtual_size),
      l1_entries_(divided_up(virtual_size, kEntries * kClusterBytes)),
      l1_clusters_(divided_up(l1_entries_, kEntries)) {
  // The counts have to count themselves.
  while (true) {
    const std::uint64_t blocks = divided_up(clusters(), kCounts);
    const std::uint64_t table = divided_up(blocks, kEntries);
    if (blocks == refcount_block_clusters_ && table == table_clusters_) return;
    refcount_block_clusters_ = blocks;
    table_clusters_ = table;
  }
}

std::uint64_t Qcow2Layout::head_blocks() const { return l2_tables() + map_.groups().size(); }
std::uint64_t Qcow2Layout::clusters() const { return head_blocks() + map_.blocks(); }
std::uint64_t Qcow2Layout::file_size() const { return clusters() * kClusterBytes; }
std::uint64_t Qcow2Layout::place_of(std::uint64_t /*block*/, std::uint64_t blocks_before) const {
  return (head_blocks() + blocks_before) * kClusterBytes;
}

void Qcow2Layout::fill_head_block(std::uint64_t number, std::span<std::byte> into) const {
  std::ranges::fill(into, std::byte{0});
  if (number < refcount_table()) return fill_header(into);
  if (number < refcount_blocks()) return fill_refcount_table(number - refcount_table(), into);
  if (number < l1_table()) return fill_refcount_block(number - refcount_blocks(), into);
  if (number < l2_tables()) return fill_l1_table(number - l1_table(), into);
  fill_l2_table(map_.groups()[number - l2_tables()], into);
}

void Qcow2Layout::fill_header(std::span<std::byte> into) const {
  constexpr std::uint32_t kHeaderLength = 104;
  constexpr std::uint32_t kRefcountOrder = 4;  // 2^4 bits
  BigEndianWriter header(into);
  header.put(std::uint32_t{0x514649fb});  // "QFI\xfb"
  header.put(std::uint32_t{3});           // version
  header.put(std::uint64_t{0});           // backing file: none
  header.put(std::uint32_t{0});
  header.put(kClusterBits);
  header.put(virtual_size_);
  header.put(std::uint32_t{0});  // encryption: none
  header.put(static_cast<std::uint32_t>(l1_entries_));
  header.put(l1_table() * kClusterBytes);
  header.put(refcount_table() * kClusterBytes);
  header.put(static_cast<std::uint32_t>(table_clusters_));
  header.put(std::uint32_t{0});  // internal snapshots: none
  header.put(std::uint64_t{0});
  header.put(std::uint64_t{0});  // features: incompatible, compatible, those that clear themselves
  header.put(std::uint64_t{0});
  header.put(std::uint64_t{0});
  header.put(kRefcountOrder);
  header.put(kHeaderLength);
}

void Qcow2Layout::fill_refcount_table(std::uint64_t part, std::span<std::byte> into) const {
  const std::uint64_t first = part * kEntries;
  const std::uint64_t count = std::min(refcount_block_clusters_ - first, kEntries);
  BigEndianWriter table(into);
  for (std::uint64_t i = 0; i < count; ++i) table.put((refcount_blocks() + first + i) * kClusterBytes);
}

void Qcow2Layout::fill_refcount_block(std::uint64_t part, std::span<std::byte> into) const {
  const std::uint64_t count = std::min(clusters() - part * kCounts, kCounts);
  BigEndianWriter block(into);
  for (std::uint64_t i = 0; i < count; ++i) block.put(std::uint16_t{1});
}

void Qcow2Layout::fill_l1_table(std::uint64_t part, std::span<std::byte> into) const {
  const auto& groups = map_.groups();
  auto group = std::ranges::lower_bound(groups, part * kEntries, {}, &BlockMap::Group::index);
  for (; group != groups.end() && group->index < (part + 1) * kEntries; ++group) {
    const auto table = l2_tables() + static_cast<std::uint64_t>(group - groups.begin());
    put_big_endian(into, group->index % kEntries * 8, table * kClusterBytes | kUsedOnce);
  }
}

void Qcow2Layout::fill_l2_table(const BlockMap::Group& group, std::span<std::byte> into) const {
  std::uint64_t before = group.before;
  for (std::uint64_t block = 0; block < kEntries; ++block) {
    if (group.contains(block)) put_big_endian(into, block * 8, place_of(block, before++) | kUsedOnce);
  }
}

}  // namespace cohort::disk
