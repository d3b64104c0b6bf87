// Checks one file of a package.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "package/package_folder.h"
#include "package/verify.h"

namespace cohort::package {

struct CheckedFile {
  std::vector<Problem> problems;
  std::uint64_t bytes = 0;  // read and hashed
};

// `disk` is the entry that `entry` is the file of, or null for a file that is no disk. Fails with kCancelled only.
[[nodiscard]] Result<CheckedFile> verify_file(const PackageFolder& folder, const FileEntry& entry,
                                              const DiskEntry* disk, std::stop_token stop,
                                              const std::function<void(std::uint64_t)>& on_read);

// Opens a file that the manifest names, without reading it whole. kCorrupt, naming the file, if that alone shows that
// the package is not whole: it is not there, it is a link, or the head of the image (`disk`, as above) names another
// file.
[[nodiscard]] Result<UniqueFd> open_entry(const PackageFolder& folder, const FileEntry& entry, const DiskEntry* disk);

}  // namespace cohort::package
