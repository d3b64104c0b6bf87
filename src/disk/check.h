// Whether an image is consistent.
#pragma once

#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

// qemu-img check; kCorrupt with its words. Leaks are errors too. Only qcow2 has anything to check.
// REQUIRES: the image names no other file (QEMU would open it): see read_qcow2_header.
[[nodiscard]] Result<void> check_image(const Path& image, const std::string& format, std::stop_token stop);

}  // namespace cohort::disk
