// The bytes of an image file that QEMU locks (block/file-posix.c, and "image locking" in QEMU's manual).
//
// There is one byte for each permission, in the order of its BLK_PERM_…: who has a permission locks the byte in the
// first row, who bears nobody else to have it locks the byte in the second. All locks are shared ones, of the open file
// description; whether somebody has one is found by asking for an exclusive lock.
#pragma once

#include <fcntl.h>

namespace cohort {

enum class ImagePermission : off_t { kConsistentRead = 0, kWrite = 1, kResize = 3 };

[[nodiscard]] constexpr off_t byte_of_holders(ImagePermission permission) {
  return 100 + static_cast<off_t>(permission);
}
[[nodiscard]] constexpr off_t byte_of_forbidders(ImagePermission permission) {
  return 200 + static_cast<off_t>(permission);
}

// For F_OFD_SETLK and F_OFD_GETLK; `type` is F_RDLCK or F_WRLCK.
[[nodiscard]] inline struct flock lock_of_byte(short type, off_t byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

}  // namespace cohort
