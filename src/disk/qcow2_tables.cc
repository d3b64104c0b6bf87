#include "disk/qcow2_tables.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/big_endian.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00;
constexpr std::uint64_t kAllZero = 1;
constexpr std::uint64_t kCompressed = std::uint64_t{1} << 62U;
constexpr std::uint64_t kCopied = std::uint64_t{1} << 63U;
constexpr std::uint32_t kSubclusters = 32;

ClusterPart impossible(std::string_view problem) { return {ClusterState::kImpossible, 0, 0, 0, problem}; }

// Bits of the offset in the entry of a compressed cluster; above it, the number of further sectors.
std::uint32_t compressed_offset_bits(std::uint32_t cluster_bits) { return 62 - (cluster_bits - 8); }

// Equal bits from the lowest one on.
std::uint32_t run_of(std::uint32_t bits) {
  return static_cast<std::uint32_t>((bits & 1U) != 0 ? std::countr_one(bits) : std::countr_zero(bits));
}

}  // namespace

Qcow2Tables::Qcow2Tables(const Qcow2Header& header)
    : cluster_bits_(header.cluster_bits),
      has_subclusters_(header.has_extended_l2),
      has_data_file_(header.has_data_file),
      has_zero_clusters_(header.version >= 3) {}

std::uint64_t Qcow2Tables::l2_table(std::uint64_t l1_entry) { return l1_entry & kOffsetMask; }

// In an external data file, data can be at 0.
bool Qcow2Tables::has_place(std::uint64_t entry) const {
  return (entry & kOffsetMask) != 0 || (has_data_file_ && (entry & kCopied) != 0);
}

ClusterPart Qcow2Tables::compressed(std::uint64_t entry, std::uint64_t begin) const {
  if (has_data_file_) return impossible("has a compressed cluster, which cannot be with an external data file");
  const std::uint32_t offset_bits = compressed_offset_bits(cluster_bits_);
  const std::uint64_t place = entry & ((std::uint64_t{1} << offset_bits) - 1);
  const std::uint64_t further_sectors = (entry & (kCompressed - 1)) >> offset_bits;
  const std::uint64_t stored = (further_sectors + 1) * kSector - place % kSector;
  return {ClusterState::kCompressed, cluster_size() - begin, place, static_cast<std::uint32_t>(stored), {}};
}

// The lower half of `states` has a bit for each subcluster with data, the upper one for each that reads as zeros.
ClusterPart Qcow2Tables::subclusters(std::uint64_t entry, std::uint64_t states, std::uint64_t begin) const {
  const auto data = static_cast<std::uint32_t>(states);
  const auto zero = static_cast<std::uint32_t>(states >> 32U);
  if ((data & zero) != 0) return impossible("has subclusters that are data and zeros at once");
  if (data != 0 && !has_place(entry)) return impossible("has subclusters with data, but no place for them");
  const std::uint64_t size = cluster_size() / kSubclusters;
  const auto first = static_cast<std::uint32_t>(begin / size);
  const std::uint32_t count = std::min({run_of(data >> first), run_of(zero >> first), kSubclusters - first});
  const std::uint64_t length = (first + count) * size - begin;
  if (((data >> first) & 1U) != 0) return {ClusterState::kData, length, (entry & kOffsetMask) + begin, 0, {}};
  const bool is_zero = ((zero >> first) & 1U) != 0;
  return {is_zero ? ClusterState::kZero : ClusterState::kUnallocated, length, 0, 0, {}};
}

ClusterPart Qcow2Tables::part_at(std::string_view table, std::size_t entry, std::uint64_t begin) const {
  const auto value = big_endian<std::uint64_t>(table, entry);
  if ((value & kCompressed) != 0) return compressed(value, begin);
  const std::uint64_t place = value & kOffsetMask;
  if (place % cluster_size() != 0) return impossible("names a place that is not the start of a cluster");
  if (has_subclusters_) return subclusters(value, big_endian<std::uint64_t>(table, entry + 8), begin);
  const std::uint64_t length = cluster_size() - begin;
  if ((value & kAllZero) != 0) {
    if (!has_zero_clusters_) return impossible("has a zero cluster, which came after version 2");
    return {ClusterState::kZero, length, 0, 0, {}};
  }
  if (has_place(value)) return {ClusterState::kData, length, place + begin, 0, {}};
  return {ClusterState::kUnallocated, length, 0, 0, {}};
}

std::optional<std::uint64_t> Qcow2Tables::place_of(std::string_view table, std::size_t entry) const {
  const auto value = big_endian<std::uint64_t>(table, entry);
  if ((value & kCompressed) != 0) {
    return value & ((std::uint64_t{1} << compressed_offset_bits(cluster_bits_)) - 1);
  }
  if (has_data_file_ || !has_place(value)) return std::nullopt;
  const bool is_read = has_subclusters_ ? big_endian<std::uint32_t>(table, entry + 12) != 0 : (value & kAllZero) == 0;
  return is_read ? std::optional(value & kOffsetMask) : std::nullopt;
}

std::size_t skip_zeros(std::string_view bytes, std::size_t begin) {
  std::uint64_t number = 0;
  for (; begin < bytes.size(); begin += sizeof number) {
    std::memcpy(&number, bytes.data() + begin, sizeof number);
    if (number != 0) return begin;
  }
  return begin;
}

}  // namespace cohort::disk
