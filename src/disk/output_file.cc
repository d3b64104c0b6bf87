#include "disk/output_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "disk/memory_bytes.h"

namespace cohort::disk {
namespace {

// Fewer zero pages than this between others are written with them: one request costs more than they do.
constexpr std::size_t kShortestHole = 4 * OutputFile::kPageBytes;

bool set_direct(int fd, bool is_on) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, is_on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

// Where the zero pages that begin at `place` end.
std::size_t end_of_zeros(std::span<const std::byte> bytes, std::size_t place) {
  while (place < bytes.size() && is_zero(bytes.subspan(place, OutputFile::kPageBytes))) place += OutputFile::kPageBytes;
  return place;
}

// Where the first hole after `place` begins that is worth one.
std::size_t end_of_data(std::span<const std::byte> bytes, std::size_t place) {
  while (place < bytes.size()) {
    const std::size_t end = end_of_zeros(bytes, place);
    if (end - place >= kShortestHole || (end == bytes.size() && end > place)) return place;
    place = std::max(end, place + OutputFile::kPageBytes);
  }
  return place;
}

}  // namespace

OutputFile::OutputFile(NewFile file, std::uint64_t size)
    : file_(std::move(file)),
      size_(size),
      is_direct_(set_direct(file_.descriptor(), true)),
      early_([fd = file_.descriptor()] { return ::fdatasync(fd) == 0 ? 0 : errno; }) {}

Failure OutputFile::failure(int error_number, const char* what) const {
  return Failure{system_error(error_number, fmt::format("\"{}\" cannot be {}.", file_.path().string(), what))};
}

Result<std::unique_ptr<OutputFile>> OutputFile::create(const Path& path, std::uint64_t size) {
  COHORT_ASSIGN(NewFile file, NewFile::create(path));
  std::unique_ptr<OutputFile> output(new OutputFile(std::move(file), size));
  if (::ftruncate(output->file_.descriptor(), static_cast<off_t>(size)) != 0) {
    return output->failure(errno, "given its size");
  }
  return output;
}

Result<void> OutputFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  std::size_t place = end_of_zeros(bytes, 0);
  while (place < bytes.size()) {
    const std::size_t end = end_of_data(bytes, place);
    COHORT_TRY(write_all(offset + place, bytes.subspan(place, end - place)));
    place = end_of_zeros(bytes, end);
  }
  return {};
}

Result<void> OutputFile::write_all(std::uint64_t offset, std::span<const std::byte> bytes) {
  bool may_retry = true;
  while (!bytes.empty()) {
    const ssize_t count = write_some(offset, bytes);
    if (count < 0 && errno == EINTR) continue;
    // The file system's way of saying that it cannot do this past the page cache, here or at all.
    if (count < 0 && errno == EINVAL && std::exchange(may_retry, false) && set_direct(file_.descriptor(), false)) {
      is_direct_ = false;
      continue;
    }
    if (count <= 0) return failure(count < 0 ? errno : EIO, "written");
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

ssize_t OutputFile::write_some(std::uint64_t offset, std::span<const std::byte> bytes) {
  const int fd = file_.descriptor();
  const auto place = static_cast<off_t>(offset);
  const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), place);
  // Out of the page cache early, so that little is left for the end. Its errors come again with fsync.
  if (count > 0 && !is_direct_) static_cast<void>(::sync_file_range(fd, place, count, SYNC_FILE_RANGE_WRITE));
  if (count > 0) early_.add(static_cast<std::uint64_t>(count));
  return count;
}

bool OutputFile::clone(int source, std::uint64_t source_offset, std::uint64_t offset, std::uint64_t length) {
  file_clone_range range{source, source_offset, length, offset};
  const bool is_cloned = ::ioctl(file_.descriptor(), FICLONERANGE, &range) == 0;
  if (!is_cloned) may_clone_ = false;
  return is_cloned;
}

Result<void> OutputFile::sync() {
  if (const int error = early_.finish(); error != 0) return failure(error, "synced");
  if (::ftruncate(file_.descriptor(), static_cast<off_t>(size_)) != 0) return failure(errno, "given its size");
  if (::fsync(file_.descriptor()) != 0) return failure(errno, "synced");
  return {};
}

}  // namespace cohort::disk
