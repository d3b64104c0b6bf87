// A folder for one socket.
#pragma once

#include "base/file.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace cohort::disk {

// Only this user can enter it. It is gone with its object; what a killed process leaves, remove_left() takes away. It
// is held by a lock, which ends with the process, however that dies.
class SocketFolder {
 public:
  // In the folder for temporary files, or where that has too long a name for a socket in /tmp.
  [[nodiscard]] static Path usual_place();

  [[nodiscard]] static Result<SocketFolder> make(const Path& place);
  SocketFolder(SocketFolder&&) = default;
  SocketFolder& operator=(SocketFolder&&) = delete;
  ~SocketFolder();

  [[nodiscard]] Path socket() const { return path_ / "socket"; }

  // Removes the folders of this user that no process holds. One that cannot be removed stays: it is in nobody's way.
  static void remove_left(const Path& place);

 private:
  SocketFolder(Path path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  Path path_;
  UniqueFd lock_;  // of the folder itself; closed where it has been moved from
};

}  // namespace cohort::disk
