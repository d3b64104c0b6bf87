// Looking at bytes in memory.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace cohort::disk {

// True if all bytes are zero.
[[nodiscard]] bool is_zero(std::span<const std::byte> bytes);

// The same bytes for functions that take text.
[[nodiscard]] inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace cohort::disk
