#include "disk/qcow2_bounds.h"

#include <algorithm>

#include "disk/big_endian.h"
#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00;
constexpr std::uint64_t kCompressed = std::uint64_t{1} << 62U;
constexpr std::uint64_t kAllZero = 1;
constexpr std::size_t kL1Piece = 64UL << 10U;

struct Image {
  int fd;
  const Qcow2Header& header;
  const std::string& name;

  [[nodiscard]] std::size_t cluster() const { return std::size_t{1} << header.cluster_bits; }
  [[nodiscard]] std::size_t entry_size() const { return header.has_extended_l2 ? 16 : 8; }
};

Failure cut_off(const Image& image, std::uint64_t length, std::string_view what, std::uint64_t offset) {
  return fail(ErrorCode::kCorrupt,
              "\"{}\" is cut off: it is {} bytes long, but has {} at {}. Restore the file, or see what qemu-img check "
              "says of it.",
              image.name, length, what, offset);
}

// The place of a cluster's data; 0 where the cluster has none that is read.
std::uint64_t data_offset(const Image& image, std::string_view table, std::size_t place) {
  const auto entry = big_endian<std::uint64_t>(table, place);
  if ((entry & kCompressed) != 0) {
    // The sector count takes (cluster_bits - 8) bits above the offset.
    const std::uint32_t offset_bits = 62 - (image.header.cluster_bits - 8);
    return entry & ((std::uint64_t{1} << offset_bits) - 1);
  }
  const bool has_data =
      image.header.has_extended_l2 ? big_endian<std::uint32_t>(table, place + 12) != 0 : (entry & kAllZero) == 0;
  return has_data && !image.header.has_data_file ? entry & kOffsetMask : 0;
}

Result<void> check_l2_table(const Image& image, std::uint64_t offset) {
  COHORT_ASSIGN(const std::string table, read_at(image.fd, offset, image.cluster(), image.name));
  // Asked for after the table is read, never before: an image that a machine writes to grows, and then names the place.
  COHORT_ASSIGN(const std::uint64_t length, length_of(image.fd, image.name));
  if (table.size() < image.cluster()) return cut_off(image, length, "a table", offset);
  for (std::size_t place = 0; place < table.size(); place += image.entry_size()) {
    const std::uint64_t data = data_offset(image, table, place);
    if (data >= length) return cut_off(image, length, "data", data);
  }
  return {};
}

Result<void> check_l1_piece(const Image& image, std::string_view piece) {
  for (std::size_t place = 0; place < piece.size(); place += 8) {
    const std::uint64_t offset = big_endian<std::uint64_t>(piece, place) & kOffsetMask;
    if (offset != 0) COHORT_TRY(check_l2_table(image, offset));
  }
  return {};
}

}  // namespace

Result<void> check_qcow2_bounds(int fd, const Qcow2Header& header, const std::string& name) {
  const Image image{fd, header, name};
  const std::uint64_t end = header.l1_offset + std::uint64_t{header.l1_entries} * 8;
  for (std::uint64_t place = header.l1_offset; place < end; place += kL1Piece) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kL1Piece, end - place));
    COHORT_ASSIGN(const std::string piece, read_at(fd, place, wanted, name));
    if (piece.size() < wanted) return cut_off(image, place + piece.size(), "a table", place);
    COHORT_TRY(check_l1_piece(image, piece));
  }
  return {};
}

}  // namespace cohort::disk
