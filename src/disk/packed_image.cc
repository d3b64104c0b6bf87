#include "disk/packed_image.h"

#include <algorithm>
#include <utility>

#include "base/big_endian.h"
#include "disk/qcow2_header.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kPacked = std::uint64_t{1} << 62U;  // QCOW_OFLAG_COMPRESSED
// An entry of a packed cluster has its place below this bit, and from it on the sectors after the first.
constexpr std::uint64_t kSectorsShift = 62 - (16 - 8);

constexpr std::uint64_t divided_up(std::uint64_t number, std::uint64_t by) { return number / by + (number % by != 0); }

NewQcow2Header header_for(std::uint64_t virtual_size, std::optional<Parent> parent) {
  return {.virtual_size = divided_up(virtual_size, kSector) * kSector,
          .has_zstd_clusters = true,
          .parent = std::move(parent)};
}

}  // namespace

Result<PackedImage> PackedImage::begin(AppendFile& file, std::uint64_t virtual_size, const BlockMap& stored) {
  PackedImage image(file, header_for(virtual_size, {}), stored, nullptr);
  COHORT_TRY(image.start());
  return image;
}

Result<PackedImage> PackedImage::begin(AppendFile& file, std::uint64_t virtual_size, const DifferenceMap& map,
                                       const Parent& parent) {
  PackedImage image(file, header_for(virtual_size, parent), map.stored, &map.cleared);
  COHORT_TRY(image.start());
  return image;
}

PackedImage::PackedImage(AppendFile& file, NewQcow2Header header, const BlockMap& stored, const BlockMap* cleared)
    : file_(&file),
      header_(std::move(header)),
      cleared_(cleared),
      groups_(groups_of(stored, cleared)),
      table_(kClusterBytes) {}

Result<void> PackedImage::start() {
  COHORT_TRY(header_.check());
  l1_.resize(divided_up(header_.l1_entries() * 8, kClusterBytes) * kClusterBytes);
  begin_table();
  // The header's place.
  return append_clusters(std::vector<std::byte>(kClusterBytes)).map([](std::uint64_t) {});
}

Result<void> PackedImage::add(std::uint64_t block, std::span<const std::byte> content) {
  while (groups_[group_] != block / kTableEntries) COHORT_TRY(append_table());
  const std::size_t entry = block % kTableEntries * 8;
  if (content.empty()) {
    if (header_.parent) put_big_endian(table_, entry, kReadsAsZeros);
    return {};
  }
  if (content.size() == kClusterBytes) {
    COHORT_ASSIGN(const std::uint64_t place, append_clusters(content));
    put_big_endian(table_, entry, place | kUsedOnce);
    return append_full_refcount_blocks();
  }
  const std::uint64_t begin = file_->size();
  const std::uint64_t last = begin + content.size() - 1;
  COHORT_TRY(file_->append(content));
  count(begin / kClusterBytes, last / kClusterBytes + 1);
  put_big_endian(table_, entry, kPacked | (last / kSector - begin / kSector) << kSectorsShift | begin);
  return append_full_refcount_blocks();
}

Result<void> PackedImage::finish() {
  while (group_ < groups_.size()) COHORT_TRY(append_table());
  COHORT_ASSIGN(const std::uint64_t l1, append_clusters(l1_));
  header_.l1_cluster = l1 / kClusterBytes;
  COHORT_TRY(append_refcounts());
  std::vector<std::byte> header(kClusterBytes);
  header_.fill(header);
  return file_->put(0, header);
}

// Where they begin, in bytes.
Result<std::uint64_t> PackedImage::append_clusters(std::span<const std::byte> bytes) {
  COHORT_TRY(file_->align(kClusterBytes));
  const std::uint64_t place = file_->size();
  COHORT_TRY(file_->append(bytes));
  count(place / kClusterBytes, file_->size() / kClusterBytes);
  return place;
}

void PackedImage::begin_table() {
  std::ranges::fill(table_, std::byte{0});
  if (group_ < groups_.size()) fill_cleared(cleared_, groups_[group_], table_);
}

Result<void> PackedImage::append_table() {
  COHORT_ASSIGN(const std::uint64_t place, append_clusters(table_));
  put_big_endian(l1_, groups_[group_] * 8, place | kUsedOnce);
  ++group_;
  begin_table();
  return append_full_refcount_blocks();
}

void PackedImage::count(std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t cluster = begin; cluster < end; ++cluster) {
    Counts& counts = counts_[cluster / kRefcounts];
    if (counts.empty()) counts.resize(kRefcounts);
    ++counts[cluster % kRefcounts];
  }
}

// Of parts of the file to which nothing is added any more.
Result<void> PackedImage::append_full_refcount_blocks() {
  while (file_->size() >= (refcount_blocks_.size() + 1) * kRefcounts * kClusterBytes) {
    COHORT_ASSIGN(const std::uint64_t place, append_clusters(take_refcount_block(refcount_blocks_.size())));
    refcount_blocks_.push_back(place);
  }
  return {};
}

// The rest of the blocks, and their table.
Result<void> PackedImage::append_refcounts() {
  const std::uint64_t used = divided_up(file_->size(), kClusterBytes);
  std::uint64_t blocks = refcount_blocks_.size();
  std::uint64_t end = 0;  // of the file, in clusters
  do {
    ++blocks;
    header_.refcount_clusters = divided_up(blocks, kTableEntries);
    end = used + blocks - refcount_blocks_.size() + header_.refcount_clusters;
  } while (blocks * kRefcounts < end);
  // They count themselves, and so do not change when they are appended.
  count(used, end);
  std::vector<std::byte> table(header_.refcount_clusters * kClusterBytes);
  COHORT_TRY(file_->align(kClusterBytes));
  while (refcount_blocks_.size() < blocks) {
    const auto block = take_refcount_block(refcount_blocks_.size());
    refcount_blocks_.push_back(file_->size());
    COHORT_TRY(file_->append(block));
  }
  for (std::size_t i = 0; i < blocks; ++i) put_big_endian(table, i * 8, refcount_blocks_[i]);
  header_.refcount_cluster = file_->size() / kClusterBytes;
  return file_->append(table);
}

std::vector<std::byte> PackedImage::take_refcount_block(std::uint64_t number) {
  std::vector<std::byte> block(kClusterBytes);
  const Counts counts = std::exchange(counts_[number], {});
  counts_.erase(number);
  for (std::size_t i = 0; i < counts.size(); ++i) put_big_endian(block, i * 2, counts[i]);
  return block;
}

}  // namespace cohort::disk
