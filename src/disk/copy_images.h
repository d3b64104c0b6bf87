// Copying several images side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "disk/copy_image.h"

namespace cohort::disk {

struct ImageToCopy {
  CopyImageRequest request;
  std::string context;  // of an error with this image, see Error::with_context
};

// copy_image for all, some at the same time; the answers are in the order of the images. They have the buffers and the
// limiter in common if their requests name the same ones.
//
// `on_progress` gets the bytes done of all images together, never fewer than before, from any thread but never from
// two at once. The first image that fails stops all others, and its error is the one that is returned; after a failure
// or cancel no target is left.
[[nodiscard]] Result<std::vector<CopiedImage>> copy_images(const std::vector<ImageToCopy>& images,
                                                           const std::stop_token& stop,
                                                           const std::function<void(std::uint64_t done)>& on_progress);

}  // namespace cohort::disk
