#include "disk/file_hash.h"

#include <algorithm>
#include <array>

#include "disk/memory_bytes.h"

namespace cohort::disk {

bool FileHash::add(std::uint64_t offset, std::span<const std::byte> bytes, const std::stop_token& stop) {
  if (!add_zeros(offset, stop)) return false;
  sha256_.update(text_of(bytes));
  end_ += bytes.size();
  return true;
}

std::optional<std::string> FileHash::add_part(std::uint64_t offset, std::span<const std::byte> part,
                                              const std::stop_token& stop) {
  if (!add_zeros(offset, stop)) return std::nullopt;
  end_ += part.size();
  return sha256_.update_part(text_of(part));
}

bool FileHash::add_zeros(std::uint64_t offset, const std::stop_token& stop) {
  static constexpr std::array<std::byte, 32UL << 10U> kZeros{};
  while (end_ < offset) {
    if (stop.stop_requested()) return false;
    const std::uint64_t count = std::min<std::uint64_t>(offset - end_, kZeros.size());
    sha256_.update(text_of(std::span(kZeros).first(count)));
    end_ += count;
  }
  return true;
}

}  // namespace cohort::disk
