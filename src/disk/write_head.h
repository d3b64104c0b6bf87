// The beginning of a copy's target: the format's own.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>

#include "base/result.h"
#include "disk/buffer_pool.h"
#include "disk/copy_layout.h"
#include "disk/output_file.h"

namespace cohort::disk {

// `on_written` gets each stretch, from the start of the file on. Returns early when `stop` is requested.
[[nodiscard]] Result<void> write_head(
    const CopyLayout& layout, OutputFile& output, BufferPool& buffers, const std::stop_token& stop,
    const std::function<void(std::uint64_t offset, std::span<const std::byte> bytes)>& on_written);

}  // namespace cohort::disk
