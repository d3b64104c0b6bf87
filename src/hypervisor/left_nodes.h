// Block nodes in QEMU that a libvirtd has made which was killed before it noted so.
#pragma once

#include <libvirt/libvirt.h>

#include "base/error.h"

namespace cohort::hypervisor {

// libvirt numbers its nodes and has lost count of those: it gives their names again, and QEMU refuses that with `error`
// (docs/lessons.md, 16). Removes the nodes that are in the way, so that the same call can be made again; false if that
// is not what went wrong, or if something uses them.
[[nodiscard]] bool remove_left_nodes(virDomainPtr domain, const Error& error);

}  // namespace cohort::hypervisor
