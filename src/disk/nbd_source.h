// A frozen disk, read by QEMU.
#pragma once

#include <memory>
#include <stop_token>

#include "base/result.h"
#include "disk/chain.h"
#include "disk/source.h"

namespace cohort::disk {

// The same as open_disk for chains that it does not read: any format that QEMU knows, on anything that QEMU can open.
// QEMU tells what reads as zeros; several reads are in flight at once. When `stop` is requested, all that waits fails
// with kCancelled.
// Fails like read_chain; kInUse, naming the file, if a program writes to a layer: none can begin to while the source is
// there. kUnsupported if there is no qemu-nbd, or it does not know the format.
[[nodiscard]] Result<std::unique_ptr<DiskSource>> open_disk_through_qemu(const Chain& chain,
                                                                         const std::stop_token& stop);

}  // namespace cohort::disk
