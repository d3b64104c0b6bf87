// How much a copy would take.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

// Bytes that the target would take on its storage, at most (qemu-img measure). Holes are not counted, areas that are
// full of zeros are. Fails like read_chain. A layer that a machine writes to is measured all the same: the answer is of
// that moment, and the copy itself is refused then.
[[nodiscard]] Result<std::uint64_t> measure_image(const Path& source, const std::string& source_format,
                                                  const std::string& target_format, const std::stop_token& stop = {});

}  // namespace cohort::disk
