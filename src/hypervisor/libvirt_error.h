// libvirt's errors as ours.
#pragma once

#include <libvirt/libvirt.h>

#include <string>

#include "base/error.h"

namespace cohort::hypervisor {

// The code for a libvirt error number (virErrorNumber).
[[nodiscard]] ErrorCode code_of(int libvirt_error);

// The last error of a libvirt call in this thread, with libvirt's words as the cause.
[[nodiscard]] Error libvirt_error(std::string message);

// The same for a call on a machine; `sentence` has a place for its name. (Asking libvirt for the name makes it forget
// the error: it must not be asked before.)
[[nodiscard]] Error machine_error(virDomainPtr domain, fmt::format_string<const char*> sentence);

}  // namespace cohort::hypervisor
