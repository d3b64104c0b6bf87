// libvirt's errors as ours.
#pragma once

#include <string>

#include "base/error.h"

namespace cohort::hypervisor {

// The code for a libvirt error number (virErrorNumber).
[[nodiscard]] ErrorCode code_of(int libvirt_error);

// The last error of a libvirt call in this thread, with libvirt's words as the cause.
[[nodiscard]] Error libvirt_error(std::string message);

}  // namespace cohort::hypervisor
