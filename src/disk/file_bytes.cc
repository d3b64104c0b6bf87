#include "disk/file_bytes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace cohort::disk {
namespace {

Failure errno_failure(std::string_view what, const std::string& name) {
  const int number = errno;
  return Failure{system_error(number, fmt::format("\"{}\" {}.", name, what))};
}

}  // namespace

Result<UniqueFd> open_image(const Path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open()) return errno_failure("cannot be opened", path.string());
  return fd;
}

Result<std::size_t> read_into(int fd, std::uint64_t offset, std::span<std::byte> into, const std::string& name) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const std::span<std::byte> rest = into.subspan(filled);
    const ssize_t count = ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_failure("cannot be read", name);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return filled;
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t length, const std::string& name) {
  std::string bytes(length, '\0');
  COHORT_ASSIGN(const std::size_t filled, read_into(fd, offset, std::as_writable_bytes(std::span(bytes)), name));
  bytes.resize(filled);
  return bytes;
}

Result<std::uint64_t> length_of(int fd, const std::string& name) {
  // Unlike fstat, this also answers for block devices.
  const off_t end = ::lseek(fd, 0, SEEK_END);
  if (end < 0) return errno_failure("does not tell its length", name);
  return static_cast<std::uint64_t>(end);
}

}  // namespace cohort::disk
