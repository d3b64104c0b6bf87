// How much there is in a package.
#pragma once

#include <cstdint>

#include "base/file.h"
#include "package/manifest.h"

namespace cohort::service {

struct PackageSize {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // sum of their lengths, by the manifest; the largest number if that is larger
  std::uint64_t disk_bytes =
      0;  // what they take on the disk, with what they share with others; 0 for what is not there
};
[[nodiscard]] PackageSize size_of_package(const Path& package, const package::Manifest& manifest);

}  // namespace cohort::service
