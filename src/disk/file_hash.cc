#include "disk/file_hash.h"

#include <algorithm>
#include <array>

#include "disk/memory_bytes.h"

namespace cohort::disk {

bool FileHash::add(std::uint64_t offset, std::span<const std::byte> bytes, const std::stop_token& stop) {
  static constexpr std::array<std::byte, 32UL << 10U> kZeros{};
  while (end_ < offset) {
    if (stop.stop_requested()) return false;
    const std::uint64_t count = std::min<std::uint64_t>(offset - end_, kZeros.size());
    sha256_.update(text_of(std::span(kZeros).first(count)));
    end_ += count;
  }
  sha256_.update(text_of(bytes));
  end_ += bytes.size();
  return true;
}

}  // namespace cohort::disk
