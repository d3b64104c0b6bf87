// The content hash that goes with a copy.
#pragma once

#include <optional>

#include "base/result.h"
#include "disk/content_hash.h"
#include "disk/copy.h"

namespace cohort::disk {

// Nothing if the request wants none.
[[nodiscard]] Result<std::optional<ContentHash>> hash_for_copy(const CopyRequest& request);
// The map, which must outlive it, is the difference's. REQUIRES: see copy_difference.
[[nodiscard]] Result<std::optional<ContentHash>> hash_for_copy(const CopyRequest& request, const Difference& difference,
                                                               const DifferenceMap& map);

}  // namespace cohort::disk
