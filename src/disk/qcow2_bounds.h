// Whether a qcow2 file was cut off.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "disk/qcow2_header.h"

namespace cohort::disk {

// Reads the L1 and L2 tables and fails with kCorrupt when they name a place past the end of the file. QEMU reads zeros
// there without a word, so that a copy would be wrong and look right.
//
// A cut within the last cluster is not seen: such a file can be whole (QEMU does not fill up its last cluster).
// Neither is one of an external data file. Cost: 8 bytes are read for each cluster of the disk that has a table;
// memory does not depend on the size. kCancelled, since tables can be made that take hours.
[[nodiscard]] Result<void> check_qcow2_bounds(int fd, const Qcow2Header& header, const std::string& name,
                                              const std::stop_token& stop);

}  // namespace cohort::disk
