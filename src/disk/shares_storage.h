// Whether a copy can have the blocks of what it is copied from.
#pragma once

#include <string>

#include "base/file.h"

namespace cohort::disk {

// For all files of an image's chain and a copy in `folder` (FICLONERANGE, which XFS and btrfs know). It is tried, with
// a file that has no name. What cannot be shared all the same (compressed clusters, or parts that are no whole blocks)
// is copied.
[[nodiscard]] bool shares_storage(const Path& source, const std::string& source_format, const Path& folder);

}  // namespace cohort::disk
