// Copying a frozen disk into a compressed file.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "disk/copy.h"

namespace cohort::disk {

// As copy_disk, to a qcow2 image whose clusters are packed with zstd, on all processors. The file is as long as what
// they take, so its layout is not known before they are packed, and it is hashed when it is complete: it is read once
// more, the source is not. Only QEMU 5.1 and later read it.
// `on_progress` gets the bytes done of what plan_copy says for an uncompressed copy.
// Memory: twice the buffers that it takes of the pool. Fails as copy_disk does.
// REQUIRES: the format is "qcow2".
[[nodiscard]] Result<CopiedImage> copy_compressed(const CopyRequest& request, const std::stop_token& stop,
                                                  const std::function<void(std::uint64_t done)>& on_progress);
// As copy_difference.
[[nodiscard]] Result<CopiedImage> copy_compressed(const CopyRequest& request, const Difference& difference,
                                                  const std::stop_token& stop,
                                                  const std::function<void(std::uint64_t done)>& on_progress);

}  // namespace cohort::disk
