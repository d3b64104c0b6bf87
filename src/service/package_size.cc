#include "service/package_size.h"

#include <sys/stat.h>

namespace cohort::service {

PackageSize size_of_package(const Path& package, const package::Manifest& manifest) {
  PackageSize size;
  for (const auto* file : manifest.files()) {
    ++size.files;
    size.bytes += file->size;
    struct stat info {};
    if (::lstat((package / file->file).c_str(), &info) != 0) continue;
    size.disk_bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return size;
}

}  // namespace cohort::service
