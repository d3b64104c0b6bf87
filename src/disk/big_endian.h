// Numbers in the byte order of qcow2 files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cohort::disk {

// REQUIRES: offset + sizeof(Number) <= bytes.size().
template <typename Number>
[[nodiscard]] Number big_endian(std::string_view bytes, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[offset + i]);
  }
  return static_cast<Number>(value);
}

}  // namespace cohort::disk
