#include "disk/new_file.h"

#include <fcntl.h>

#include <cerrno>

namespace cohort::disk {

Result<NewFile> NewFile::create(const Path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.is_open()) return NewFile(path, std::move(fd));
  const int number = errno;
  return Failure{system_error(number, fmt::format("\"{}\" cannot be created.", path.string()))};
}

NewFile::~NewFile() {
  // What is left of a failed copy is reported by the failure itself; nothing better can be done about this one.
  if (fd_.is_open()) static_cast<void>(remove_file(path_));
}

}  // namespace cohort::disk
