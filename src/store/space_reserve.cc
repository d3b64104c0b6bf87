#include "store/space_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/unique_fd.h"

namespace cohort::store {
namespace {

// Not all at once: what else fills the file system takes what is not needed.
constexpr std::uint64_t kPart = 512ULL << 10U;

std::uint64_t length_of(const Path& path) { return size_of_file(path).value_or(0); }

// A copy may have its length and no blocks.
bool is_whole(const Path& path) {
  constexpr std::uint64_t kBlock = 512;  // of st_blocks, see stat(2)
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) >= SpaceReserve::kBytes &&
         static_cast<std::uint64_t>(info.st_blocks) * kBlock >= SpaceReserve::kBytes;
}

}  // namespace

Result<void> SpaceReserve::fill() const {
  if (is_whole(path_)) {
    return {};
  }
  const std::uint64_t before = length_of(path_);
  // Readable, since where the file system cannot allocate, the C library looks what is there already.
  const UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  const int number = fd.is_open() ? ::posix_fallocate(fd.get(), 0, static_cast<off_t>(kBytes)) : errno;
  if (number == 0) {
    return {};
  }
  // What it got is of no use to anybody: nothing will be begun.
  [[maybe_unused]] const bool is_back = fd.is_open() && ::ftruncate(fd.get(), static_cast<off_t>(before)) == 0;
  return Failure{
      system_error(number, fmt::format("The {} MiB that are kept in \"{}\", so that all that is begun can be "
                                       "taken back, cannot be had.",
                                       kBytes >> 20U, path_.string()))};
}

bool SpaceReserve::give() const {
  const std::uint64_t length = length_of(path_);
  return length > 0 && ::truncate(path_.c_str(), static_cast<off_t>(length - std::min(length, kPart))) == 0;
}

}  // namespace cohort::store
