// Copying a disk through qemu-img.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

struct ConvertRequest {
  Path source;                   // with all its backing files; frozen: nobody writes to them
  std::string source_format;     // "qcow2", "raw", …
  Path target;                   // must not exist; made with mode 0600
  std::string target_format;     // "qcow2" or "raw"
  std::uint64_t rate_limit = 0;  // bytes per second; 0: none
};
struct ConvertedImage {
  std::uint64_t virtual_size = 0;
  std::uint64_t file_size = 0;
  std::string sha256;  // of the target
};

// A standalone copy, zero areas as holes, hashed and synced. After a failure or cancel the target is gone.
// Peak memory does not depend on the size. `on_fraction` gets 0.0 to 1.0, from the calling thread or one of its own,
// never from two at once.
// Fails with kInUse, naming the file, if a program writes to a layer through QEMU; none can begin to while the copy
// runs. kCorrupt if a qcow2 layer is cut off; a raw layer that is cut off cannot be told: compare virtual_size.
// kNoSpace, kPermission, kIo, kCancelled; kAlreadyExists for the target.
[[nodiscard]] Result<ConvertedImage> convert_image(const ConvertRequest& request, std::stop_token stop,
                                                   const std::function<void(double)>& on_fraction);

// The share that "(12.34/100%)", the last complete report in qemu-img's output, stands for; -1 without one.
[[nodiscard]] double parse_progress(std::string_view output);

}  // namespace cohort::disk
