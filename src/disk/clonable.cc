#include "disk/clonable.h"

#include <algorithm>

#include "disk/memory_bytes.h"

namespace cohort::disk {
namespace {

const Piece* piece_at(const Chunk& chunk, std::size_t place) {
  const auto after = std::ranges::upper_bound(chunk.pieces, place, {}, &Piece::at);
  return after == chunk.pieces.begin() ? nullptr : &*std::prev(after);
}

}  // namespace

std::optional<ClonableRange> clonable_from(const Chunk& chunk, std::span<const std::byte> bytes, std::size_t i) {
  const std::size_t begin = i * kBlockBytes;
  const Piece* piece = piece_at(chunk, begin);
  if (piece == nullptr || piece->extent.kind != ExtentKind::kData) return std::nullopt;
  const std::uint64_t file_offset = piece->extent.file_offset + piece->begin + (begin - piece->at);
  if (file_offset % kCloneBytes != 0) return std::nullopt;
  const std::size_t end = piece->at + piece->length;
  std::size_t count = 0;
  while (begin + (count + 1) * kBlockBytes <= end &&
         (bytes.empty() || !is_zero(bytes.subspan(begin + count * kBlockBytes, kBlockBytes)))) {
    ++count;
  }
  if (count == 0) return std::nullopt;
  return ClonableRange{piece->extent.file, file_offset, count};
}

}  // namespace cohort::disk
