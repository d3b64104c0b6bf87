#include "package/held_file.h"

#include <cerrno>

namespace cohort::package {
namespace {

bool is_same(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

bool is_same_content(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino && one.st_size == other.st_size &&
         is_same(one.st_mtim, other.st_mtim);
}

Result<struct stat> status_of(const UniqueFd& fd, const std::string& name) {
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0) return status;
  return Failure{system_error(errno, fmt::format("\"{}\" cannot be looked at.", name))};
}

}  // namespace

Result<HeldFile> HeldFile::open(const PackageFolder& folder, const DiskEntry& disk) {
  COHORT_ASSIGN(UniqueFd fd, open_entry(folder, disk.file, &disk));
  COHORT_ASSIGN(const struct stat status, status_of(fd, disk.file.file));
  return HeldFile(disk.file.file, std::move(fd), status);
}

Result<void> HeldFile::check_unchanged(const PackageFolder& folder) const {
  COHORT_ASSIGN(const UniqueFd named, folder.open_file(name_));
  COHORT_ASSIGN(const struct stat status, status_of(named, name_));
  if (!is_same_content(status, opened_)) {
    return fail(ErrorCode::kCorrupt,
                "\"{}\" has changed since the try began: let nobody write to the package, verify it, and try it again.",
                name_);
  }
  if (is_same(status.st_ctim, opened_.st_ctim)) return {};
  return fail(
      ErrorCode::kInUse,
      "Somebody has touched \"{}\" since the try began (its owner, mode, times, or links): try again when nobody "
      "works in the package.",
      name_);
}

}  // namespace cohort::package
