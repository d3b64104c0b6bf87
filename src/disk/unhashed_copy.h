// Copying a frozen disk into a file without a hash of it.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/result.h"
#include "disk/copy.h"

namespace cohort::disk {

// copy_disk, but the answer has no hashes, and what source and target can share (reflink) is not even read: it costs
// what the tables do. Zeros that are stored in the source stay stored where they are shared.
// REQUIRES: the request wants no content hash.
[[nodiscard]] Result<CopiedImage> copy_unhashed(const CopyRequest& request, const std::stop_token& stop,
                                                const std::function<void(std::uint64_t done)>& on_progress);

}  // namespace cohort::disk
