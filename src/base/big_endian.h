// Numbers in the byte order of qcow2 files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cohort {

// REQUIRES: offset + sizeof(Number) <= bytes.size().
template <typename Number>
[[nodiscard]] Number big_endian(std::string_view bytes, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes[offset + i]);
  }
  return static_cast<Number>(value);
}

// REQUIRES: offset + sizeof(Number) <= bytes.size().
template <typename Number>
void put_big_endian(std::span<std::byte> bytes, std::size_t offset, Number number) {
  auto rest = static_cast<std::uint64_t>(number);
  for (std::size_t i = sizeof(Number); i-- > 0; rest >>= 8U) bytes[offset + i] = static_cast<std::byte>(rest);
}

}  // namespace cohort
