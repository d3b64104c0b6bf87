#include "disk/memory_bytes.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace cohort::disk {

bool is_zero(std::span<const std::byte> bytes) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kZeros.size());
    if (std::memcmp(bytes.data(), kZeros.data(), count) != 0) return false;
    bytes = bytes.subspan(count);
  }
  return true;
}

}  // namespace cohort::disk
