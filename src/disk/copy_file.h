// Copying a file as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "base/file.h"
#include "base/result.h"
#include "disk/copy.h"

namespace cohort::disk {

struct CopyFileRequest {
  Path source;
  Path target;  // must not exist; made with mode 0600
  CopyResources resources;
};

// Byte by byte, holes as holes. Nothing in the file is interpreted, so it may come from a stranger: what an image names
// as its backing or data file is not opened, and QEMU never sees it. The sha256 of the answer is that of the bytes that
// were read, and so of the target. Otherwise like copy_disk; kInUse if a program writes to the source through QEMU.
[[nodiscard]] Result<CopiedImage> copy_file(const CopyFileRequest& request, const std::stop_token& stop,
                                            const std::function<void(std::uint64_t done)>& on_progress);

// Bytes that copy_file's target would take on its storage, at most.
[[nodiscard]] Result<std::uint64_t> measure_file(const Path& source);

}  // namespace cohort::disk
