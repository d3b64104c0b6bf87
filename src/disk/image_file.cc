#include "disk/image_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <span>

#include "disk/file_bytes.h"

namespace cohort::disk {
namespace {

constexpr std::uint64_t kStatBlock = 512;  // the unit of st_blocks

}  // namespace

Result<ImageFile> open_image_file(const Path& path) {
  ImageFile file;
  file.name = path.string();
  COHORT_ASSIGN(file.fd, open_image(path));
  struct stat info {};
  if (::fstat(file.fd.get(), &info) != 0) {
    const int number = errno;
    return Failure{system_error(number, fmt::format("\"{}\" cannot be looked at.", file.name))};
  }
  if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode)) {
    return fail(ErrorCode::kUnsupported, "\"{}\" is neither a file nor a block device.", file.name);
  }
  COHORT_ASSIGN(file.length, length_of(file.fd.get(), file.name));
  const std::uint64_t blocks = (file.length + kStatBlock - 1) / kStatBlock;
  file.may_have_holes = S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_blocks) < blocks;
  // Tables lie between data that is read past the page cache (DirectFiles): what the kernel reads ahead of a table
  // would be in memory then, and the reading ahead would go on from there.
  static_cast<void>(::posix_fadvise(file.fd.get(), 0, 0, POSIX_FADV_RANDOM));
  return file;
}

Failure damaged(const ImageFile& file, std::string_view what) {
  return fail(ErrorCode::kCorrupt, "\"{}\" is damaged: {} See what qemu-img check says of it.", file.name, what);
}

Failure changed_meanwhile(const ImageFile& file) {
  return fail(ErrorCode::kCorrupt, "\"{}\" changed while it was read.", file.name);
}

Result<std::string_view> TableWindow::read(const ImageFile& file, std::uint64_t offset, std::size_t length,
                                           std::string_view what) {
  if (offset_ == offset && bytes_.size() == length) return bytes_;
  if (offset > file.length || length > file.length - offset) {
    return damaged(file, fmt::format("it is {} bytes long, and {} at {} is not within it.", file.length, what, offset));
  }
  offset_ = UINT64_MAX;  // until the bytes are whole
  bytes_.resize(length);
  COHORT_ASSIGN(const std::size_t filled,
                read_into(file.fd.get(), offset, std::as_writable_bytes(std::span(bytes_)), file.name));
  if (filled < length) return changed_meanwhile(file);
  offset_ = offset;
  return bytes_;
}

}  // namespace cohort::disk
