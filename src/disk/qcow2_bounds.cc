#include "disk/qcow2_bounds.h"

#include <algorithm>

#include "base/big_endian.h"
#include "disk/file_bytes.h"
#include "disk/qcow2_tables.h"

namespace cohort::disk {
namespace {

constexpr std::size_t kL1Piece = 64UL << 10U;

struct Image {
  int fd;
  const Qcow2Tables tables;
  const std::string& name;
  const std::stop_token& stop;
};

Failure cut_off(const Image& image, std::uint64_t length, std::string_view what, std::uint64_t offset) {
  return fail(ErrorCode::kCorrupt,
              "\"{}\" is cut off: it is {} bytes long, but has {} at {}. Restore the file, or see what qemu-img check "
              "says of it.",
              image.name, length, what, offset);
}

Result<void> check_l2_table(const Image& image, std::uint64_t offset) {
  COHORT_ASSIGN(const std::string table, read_at(image.fd, offset, image.tables.cluster_size(), image.name));
  // Asked for after the table is read, never before: an image that a machine writes to grows, and then names the place.
  COHORT_ASSIGN(const std::uint64_t length, length_of(image.fd, image.name));
  if (table.size() < image.tables.cluster_size()) return cut_off(image, length, "a table", offset);
  const std::size_t entry_size = image.tables.entry_size();
  const auto after_unused = [&](std::size_t place) { return skip_zeros(table, place) / entry_size * entry_size; };
  for (std::size_t place = after_unused(0); place < table.size(); place = after_unused(place + entry_size)) {
    const auto data = image.tables.place_of(table, place);
    if (data && *data >= length) return cut_off(image, length, "data", *data);
  }
  return {};
}

Result<void> check_l1_piece(const Image& image, std::string_view piece) {
  for (std::size_t place = 0; place < piece.size(); place += 8) {
    const std::uint64_t offset = Qcow2Tables::l2_table(big_endian<std::uint64_t>(piece, place));
    if (image.stop.stop_requested()) return fail(ErrorCode::kCancelled, "Cancelled while reading an image's tables.");
    if (offset != 0) COHORT_TRY(check_l2_table(image, offset));
  }
  return {};
}

}  // namespace

Result<void> check_qcow2_bounds(int fd, const Qcow2Header& header, const std::string& name,
                                const std::stop_token& stop) {
  const Image image{fd, Qcow2Tables(header), name, stop};
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
