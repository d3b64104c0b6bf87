#include "disk/append_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace cohort::disk {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

}  // namespace

Result<AppendFile> AppendFile::create(const Path& path) {
  COHORT_ASSIGN(NewFile file, NewFile::create(path));
  return AppendFile(std::move(file));
}

Result<void> AppendFile::append(std::span<const std::byte> bytes) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  return pending_.size() < kPieceBytes ? Result<void>() : flush();
}

Result<void> AppendFile::align(std::uint64_t unit) {
  pending_.resize(pending_.size() + (unit - size() % unit) % unit);
  return {};
}

Result<void> AppendFile::put(std::uint64_t offset, std::span<const std::byte> bytes) {
  COHORT_TRY(flush());
  return write_all(offset, bytes);
}

Result<void> AppendFile::sync() const {
  if (::fsync(file_.descriptor()) == 0) return {};
  return Failure{system_error(errno, fmt::format("\"{}\" cannot be written to storage.", path().string()))};
}

Result<void> AppendFile::flush() {
  COHORT_TRY(write_all(written_, pending_));
  // Towards the storage early, so that little is left for the end. Its errors come again with fsync.
  static_cast<void>(::sync_file_range(file_.descriptor(), static_cast<off_t>(written_),
                                      static_cast<off_t>(pending_.size()), SYNC_FILE_RANGE_WRITE));
  written_ += pending_.size();
  pending_.clear();
  return {};
}

Result<void> AppendFile::write_all(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file_.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return Failure{system_error(count < 0 ? errno : EIO, fmt::format("\"{}\" cannot be written.", path().string()))};
    }
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace cohort::disk
