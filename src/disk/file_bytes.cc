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

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t length, const std::string& name) {
  std::string bytes(length, '\0');
  std::size_t filled = 0;
  while (filled < length) {
    const ssize_t count = ::pread(fd, bytes.data() + filled, length - filled, static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_failure("cannot be read", name);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
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
