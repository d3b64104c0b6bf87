// The hash of a file that was just written, for who cannot know it before the file is complete.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "disk/append_file.h"

namespace cohort::disk {

// Reads it once, from the page cache if it is small, and syncs it meanwhile, as it was opened for writing. 64
// lower-case hex digits. `on_read` gets the bytes read since its last call, from a thread of its own. kIo, kNoSpace,
// kCancelled.
[[nodiscard]] Result<std::string> hash_and_sync(const AppendFile& file, const std::stop_token& stop,
                                                const std::function<void(std::uint64_t)>& on_read);

}  // namespace cohort::disk
