// Copying an image with all its backing files into a file, in the fastest way there is for it.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "disk/copy.h"

namespace cohort::disk {

struct CopyImageRequest {
  Path source;                // with all its backing files; frozen: nobody writes to them
  std::string source_format;  // "qcow2", "raw", …
  Path target;                // must not exist; made with mode 0600
  std::string target_format;  // "qcow2" or "raw"
  CopyResources resources;
  bool is_compressed = false;  // see copy_compressed
};

// copy_disk, with a content hash, or copy_compressed, under an ImageLock. What cannot be read without QEMU goes through
// copy_image_through_qemu.
//
// `on_progress` gets the bytes done of measure_copy's answer, never fewer than before. After a failure or cancel the
// target is gone. Fails like copy_disk and read_chain; kInUse, naming the file, if a program writes to a layer through
// QEMU; none can begin to while the copy runs.
[[nodiscard]] Result<CopiedImage> copy_image(const CopyImageRequest& request, const std::stop_token& stop,
                                             const std::function<void(std::uint64_t done)>& on_progress);

// The same for any format that QEMU knows (see open_disk_through_qemu).
[[nodiscard]] Result<CopiedImage> copy_image_through_qemu(const CopyImageRequest& request, const std::stop_token& stop,
                                                          const std::function<void(std::uint64_t done)>& on_progress);

// Bytes that copy_image's target would take on its storage, at most. Holes are not counted, areas that are full of
// zeros are. A layer that a machine writes to is measured all the same: the answer is of that moment.
[[nodiscard]] Result<std::uint64_t> measure_copy(const Path& source, const std::string& source_format,
                                                 const std::string& target_format, const std::stop_token& stop = {});

}  // namespace cohort::disk
