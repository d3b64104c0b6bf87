// What agents answer: JSON, written by guests, which are not to be trusted. An agent of another form is kUnsupported.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace cohort::hypervisor {

// Of guest-fsfreeze-status.
[[nodiscard]] Result<bool> frozen_in(const std::string& reply);
// A count, or a handle.
[[nodiscard]] Result<std::int64_t> number_in(const std::string& reply);
// Of guest-file-read.
[[nodiscard]] Result<std::string> content_in(const std::string& reply);
// Of guest-get-osinfo.
[[nodiscard]] bool is_windows(const std::string& reply);
// Whether qemu-ga, run with this command line (words that end with a NUL each), runs a freeze hook.
[[nodiscard]] bool names_freeze_hook(const std::string& command_line);

}  // namespace cohort::hypervisor
