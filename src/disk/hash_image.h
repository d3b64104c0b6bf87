// The hashes of an image that was written without them.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "disk/content_hash.h"

namespace cohort::disk {

struct HashedImage {
  std::string sha256;   // of the file, lower-case hex
  HashedContent disk;   // of what a guest sees of it
  ContentHash content;  // has the list, which is gone again with it unless it is kept
};

// Reads an image that stands alone, as a file and as a disk; `format` is "qcow2" or "raw". It may come from a stranger:
// no other file is opened. `list` is where the list of block hashes goes; must not exist.
// `on_read` gets the bytes of the file read since its last call, from another thread. Fails as copy_listed.
[[nodiscard]] Result<HashedImage> hash_image(const Path& image, const std::string& format, const Path& list,
                                             const std::stop_token& stop,
                                             const std::function<void(std::uint64_t bytes)>& on_read);

}  // namespace cohort::disk
