#include "base/file_stamp.h"

#include <sys/stat.h>

#include <cerrno>

namespace cohort {

Result<FileStamp> stamp_of(const Path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    const int number = errno;
    return Failure{system_error(number, fmt::format("\"{}\" cannot be looked at.", path.string()))};
  }
  return FileStamp{info.st_ino, static_cast<std::uint64_t>(info.st_size),
                   info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
}

}  // namespace cohort
