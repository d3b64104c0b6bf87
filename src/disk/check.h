// Whether an image is consistent.
#pragma once

#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

// qemu-img check; kCorrupt with its words. Leaks are errors too. Only qcow2 has anything to check.
// Only the image itself is looked at, not what it stands on.
// REQUIRES: the image names no data file (QEMU would open it): see read_qcow2_header.
[[nodiscard]] Result<void> check_image(const Path& image, const std::string& format, std::stop_token stop);

}  // namespace cohort::disk
