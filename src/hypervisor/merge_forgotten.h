// The machine runs on the overlay, and libvirt does not know it (qemu_view.h): the merge goes through QEMU's monitor,
// as libvirt would do it, and ends with QEMU where libvirt believes it to be.
//
// Crash: the block job goes on in QEMU under an id of ours, and is joined. The nodes of the overlay that are left after
//        the switch are found by its file; without their end libvirt's next snapshot would fail, which takes the same
//        names.
#pragma once

#include <libvirt/libvirt.h>

#include "base/result.h"
#include "hypervisor/merge.h"

namespace cohort::hypervisor {

// Whether the running machine's disk is to be merged here. `believed` is its chain as libvirt tells. kInvalidState if
// libvirt is wrong about the disk in a way that a merge of this overlay does not mend.
[[nodiscard]] Result<bool> is_forgotten(virDomainPtr domain, const MergeRequest& request, const Chain& believed);

// REQUIRES: is_forgotten(). The machine has left the overlay when it returns; the file is still there.
[[nodiscard]] Result<void> merge_forgotten(virDomainPtr domain, MergeRequest& request);

}  // namespace cohort::hypervisor
