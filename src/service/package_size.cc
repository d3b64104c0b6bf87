#include "service/package_size.h"

#include <sys/stat.h>

#include <limits>

#include "package/package_folder.h"

namespace cohort::service {
namespace {

// Sizes of a manifest may lie.
std::uint64_t sum(std::uint64_t one, std::uint64_t other) {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return one > most - other ? most : one + other;
}

std::uint64_t on_disk(const package::PackageFolder& folder, const std::string& file) {
  const auto fd = folder.open_file(file);
  struct stat info {};
  if (!fd || ::fstat(fd->get(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

}  // namespace

PackageSize size_of_package(const Path& package, const package::Manifest& manifest) {
  const auto folder = package::PackageFolder::open(package);
  PackageSize size;
  for (const auto* file : manifest.files()) {
    ++size.files;
    size.bytes = sum(size.bytes, file->size);
    size.disk_bytes = sum(size.disk_bytes, folder ? on_disk(*folder, file->file) : 0);
  }
  return size;
}

}  // namespace cohort::service
