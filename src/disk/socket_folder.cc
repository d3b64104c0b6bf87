#include "disk/socket_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace cohort::disk {
namespace {

constexpr std::string_view kBegin = "cohort-nbd-";
// A Unix socket's whole name has 107 bytes at most.
constexpr std::size_t kLongestPlace = 70;
constexpr int kAttempts = 100;  // who tidies without end wins now and then, and not so often

UniqueFd open_own(const Path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (fd.is_open() && ::fstat(fd.get(), &info) == 0 && info.st_uid == ::geteuid()) return fd;
  return UniqueFd();
}

bool is_there(const Path& path, const UniqueFd& folder) {
  struct stat there {};
  struct stat opened {};
  return ::lstat(path.c_str(), &there) == 0 && ::fstat(folder.get(), &opened) == 0 && there.st_dev == opened.st_dev &&
         there.st_ino == opened.st_ino;
}

// REQUIRES: the lock of the folder is held.
void remove_folder(const Path& path, const UniqueFd& folder) {
  ::unlinkat(folder.get(), "socket", 0);
  ::rmdir(path.c_str());
}

}  // namespace

Path SocketFolder::usual_place() {
  std::error_code code;
  const Path usual = std::filesystem::temp_directory_path(code);
  return code || usual.native().size() > kLongestPlace ? Path("/tmp") : usual;
}

Result<SocketFolder> SocketFolder::make(const Path& place) {
  for (int i = 0; i < kAttempts; ++i) {
    std::string name = (place / kBegin).native() + "XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      const int number = errno;
      return Failure{system_error(number, "No folder can be made for a socket.")};
    }
    UniqueFd lock = open_own(name);
    // Somebody who tidies up may have been quicker.
    if (lock.is_open() && ::flock(lock.get(), LOCK_EX) == 0 && is_there(name, lock)) {
      return SocketFolder(name, std::move(lock));
    }
    ::rmdir(name.c_str());
  }
  return fail(ErrorCode::kIo, "A folder for a socket cannot be kept in \"{}\": somebody removes it.", place.string());
}

SocketFolder::~SocketFolder() {
  if (lock_.is_open()) remove_folder(path_, lock_);
}

void SocketFolder::remove_left(const Path& place) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(place, ignored)) {
    if (!entry.path().filename().native().starts_with(kBegin)) continue;
    const UniqueFd folder = open_own(entry.path());
    if (folder.is_open() && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0) remove_folder(entry.path(), folder);
  }
}

}  // namespace cohort::disk
