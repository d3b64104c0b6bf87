#include "disk/file_holes.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

// Nothing where there is none until the end of the file.
Result<std::optional<std::uint64_t>> seek(const ImageFile& file, std::uint64_t offset, int whence) {
  const off_t place = ::lseek(file.fd.get(), static_cast<off_t>(offset), whence);
  if (place >= 0) return static_cast<std::uint64_t>(place);
  const int number = errno;
  if (number == ENXIO) return std::nullopt;
  return Failure{system_error(number, fmt::format("\"{}\" does not tell its holes.", file.name))};
}

Result<FileHoles::Stretch> find_stretch(const ImageFile& file, std::uint64_t offset) {
  COHORT_ASSIGN(const auto data, seek(file, offset, SEEK_DATA));
  if (!data) {
    // A hole until the end, or the end has moved.
    COHORT_ASSIGN(const std::uint64_t length, length_of(file.fd.get(), file.name));
    if (length < file.length) return changed_meanwhile(file);
    return FileHoles::Stretch{offset, file.length, true};
  }
  if (*data > offset) return FileHoles::Stretch{offset, std::min(*data, file.length), true};
  COHORT_ASSIGN(const auto hole, seek(file, offset, SEEK_HOLE));
  if (!hole || *hole <= offset) return changed_meanwhile(file);
  return FileHoles::Stretch{offset, *hole, false};
}

}  // namespace

Result<FileHoles::Stretch> FileHoles::stretch_at(const ImageFile& file, std::uint64_t offset) {
  if (!file.may_have_holes) return Stretch{0, file.length, false};
  if (offset >= last_.begin && offset < last_.end) return last_;
  COHORT_ASSIGN(last_, find_stretch(file, offset));
  return last_;
}

}  // namespace cohort::disk
