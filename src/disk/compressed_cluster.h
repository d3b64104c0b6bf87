// Unpacking of qcow2's compressed clusters.
#pragma once

#include <cstddef>
#include <span>

#include "disk/qcow2_header.h"

namespace cohort::disk {

// Fills `cluster` from the start of `stored`, which may go on after what was packed. False if the bytes cannot be
// unpacked or give less than a cluster. Any number of threads.
[[nodiscard]] bool unpack_cluster(Compression compression, std::span<const std::byte> stored,
                                  std::span<std::byte> cluster);

}  // namespace cohort::disk
