#include "disk/image_lock.h"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

// One byte of the file for each permission, in the order of QEMU's BLK_PERM_…: who has a permission locks the byte in
// the first row, who bears nobody else to have it locks the byte in the second. All locks are shared ones; whether
// somebody has one is found by asking for an exclusive lock.
constexpr off_t kHas = 100;
constexpr off_t kForbids = 200;
enum Permission : off_t { kConsistentRead = 0, kWrite = 1, kResize = 3 };

constexpr std::array kHeld{kHas + kConsistentRead, kForbids + kWrite, kForbids + kResize};
constexpr std::array kConflicts{kHas + kWrite, kHas + kResize, kForbids + kConsistentRead};

struct flock byte_lock(short type, off_t byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

Failure in_use(const Path& file) {
  return fail(ErrorCode::kInUse, "\"{}\" is in use: another program has it open for writing.", file.string());
}

Failure not_locked(int error_number, const Path& file) {
  if (error_number == EAGAIN || error_number == EACCES) return in_use(file);
  return Failure{system_error(error_number, fmt::format("\"{}\" cannot be locked.", file.string()))};
}

}  // namespace

Result<ImageLock> ImageLock::hold(const Chain& chain) {
  ImageLock lock;
  for (const ChainLayer& layer : chain.layers) {
    COHORT_TRY(lock.add(layer.path));
    if (!layer.header || !layer.header->data_file || has_protocol(*layer.header->data_file)) continue;
    COHORT_TRY(lock.add(layer.path.parent_path() / *layer.header->data_file));
  }
  return lock;
}

Result<void> ImageLock::add(const Path& file) {
  COHORT_ASSIGN(UniqueFd fd, open_image(file));
  for (const off_t byte : kHeld) {
    struct flock lock = byte_lock(F_RDLCK, byte);
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) return not_locked(errno, file);
  }
  // Asked after the own locks are there: of two that begin at once, each sees the other.
  for (const off_t byte : kConflicts) {
    struct flock lock = byte_lock(F_WRLCK, byte);
    if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) return not_locked(errno, file);
    if (lock.l_type != F_UNLCK) return in_use(file);
  }
  files_.push_back(std::move(fd));
  return {};
}

}  // namespace cohort::disk
