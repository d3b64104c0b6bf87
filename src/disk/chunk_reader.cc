#include "disk/chunk_reader.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

void fill_gaps(const Chunk& chunk, std::span<std::byte> into) {
  std::size_t end = 0;  // of what is filled
  for (const Piece& piece : chunk.pieces) {
    std::ranges::fill(into.subspan(end, piece.at - end), std::byte{0});
    end = piece.at + piece.length;
  }
  std::ranges::fill(into.subspan(end, chunk.blocks.size() * kBlockBytes - end), std::byte{0});
}

bool is_read_whole(const ReadRing::Request& request) {
  const auto filled = read_into(request.fd, request.offset, request.into, {});
  return filled && *filled == request.into.size();
}

// The kernel itself goes on with a read for io_uring that was short, and some kernels (6.18) do so at the place where
// it began if FUSE does not cache the file: it would be reported as whole.
bool may_lie_to_a_ring(int fd) {
  struct statfs found {};
  return ::fstatfs(fd, &found) != 0 || found.f_type == FUSE_SUPER_MAGIC;
}

bool are_for_a_ring(std::span<const ReadRing::Request> requests) {
  int known = -1;
  return std::ranges::all_of(requests, [&](const ReadRing::Request& request) {
    return request.fd == std::exchange(known, request.fd) || !may_lie_to_a_ring(request.fd);
  });
}

}  // namespace

Result<void> ChunkReader::read(const Chunk& chunk, std::span<std::byte> into) const {
  fill_gaps(chunk, into);
  announce_compressed(chunk);
  const bool has_data = read_at_once(chunk, into);
  for (const Piece& piece : chunk.pieces) {
    if (has_data && piece.extent.kind == ExtentKind::kData) continue;
    COHORT_TRY(source_.read(piece.extent, piece.begin, into.subspan(piece.at, piece.length)));
  }
  return {};
}

// Nothing is read ahead of them otherwise (open_image_file), and each is small.
void ChunkReader::announce_compressed(const Chunk& chunk) const {
  for (const Piece& piece : chunk.pieces) {
    const int fd = piece.extent.kind == ExtentKind::kCompressed ? source_.descriptor(piece.extent.file) : -1;
    if (fd < 0) continue;
    const auto offset = static_cast<off_t>(piece.extent.file_offset);
    static_cast<void>(::posix_fadvise(fd, offset, piece.extent.stored_bytes, POSIX_FADV_WILLNEED));
  }
}

// The kData pieces: one after the other they would each wait for the storage. False if they have to be read in the
// ordinary way, which also says what is wrong with them.
bool ChunkReader::read_at_once(const Chunk& chunk, std::span<std::byte> into) const {
  std::vector<ReadRing::Request> requests;
  for (const Piece& piece : chunk.pieces) {
    if (piece.extent.kind != ExtentKind::kData) continue;
    const auto place = into.subspan(piece.at, piece.length);
    const std::uint64_t offset = piece.extent.file_offset + piece.begin;
    const int fd = files_.best_for(piece.extent.file, offset, place);
    if (fd < 0) return false;
    requests.push_back({fd, offset, place});
  }
  if (ring_ && requests.size() > 1 && are_for_a_ring(requests)) return ring_->read(requests);
  return std::ranges::all_of(requests, is_read_whole);
}

}  // namespace cohort::disk
