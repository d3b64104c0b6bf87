#include "base/unique_fd.h"

#include <unistd.h>

namespace cohort {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) {
    ::close(fd_);  // nothing is lost here: whoever needs durability has synced before
  }
  fd_ = fd;
}

}  // namespace cohort
