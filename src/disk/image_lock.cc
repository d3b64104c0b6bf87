#include "disk/image_lock.h"

#include <array>
#include <cerrno>

#include "base/image_lock_bytes.h"
#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

using enum ImagePermission;
constexpr std::array kHeld{byte_of_holders(kConsistentRead), byte_of_forbidders(kWrite), byte_of_forbidders(kResize)};
constexpr std::array kConflicts{byte_of_holders(kWrite), byte_of_holders(kResize), byte_of_forbidders(kConsistentRead)};

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
    COHORT_TRY(lock.add(*layer.header->data_file));
  }
  return lock;
}

Result<void> ImageLock::add(const Path& file) {
  COHORT_ASSIGN(UniqueFd fd, open_image(file));
  for (const off_t byte : kHeld) {
    struct flock lock = lock_of_byte(F_RDLCK, byte);
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) return not_locked(errno, file);
  }
  // Asked after the own locks are there: of two that begin at once, each sees the other.
  for (const off_t byte : kConflicts) {
    struct flock lock = lock_of_byte(F_WRLCK, byte);
    if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) return not_locked(errno, file);
    if (lock.l_type != F_UNLCK) return in_use(file);
  }
  files_.push_back(std::move(fd));
  return {};
}

}  // namespace cohort::disk
