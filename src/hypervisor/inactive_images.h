// Images that QEMU does not hold although its machine stands still on them.
//
// When QEMU has saved a machine's memory to a file, it takes it for gone to another host: it gives up the locks of its
// images and writes to none, until the machine is resumed. A machine that is meant to stay paused would stay so for
// long, and no merge could be done ("Block node is read-only").
#pragma once

#include <libvirt/libvirt.h>

#include "base/result.h"

namespace cohort::hypervisor {

// The machine's QEMU holds its images again. Success if it did, or if the machine is off.
[[nodiscard]] Result<void> take_images_back(virDomainPtr domain);

}  // namespace cohort::hypervisor
