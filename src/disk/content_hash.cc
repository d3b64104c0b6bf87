#include "disk/content_hash.h"

#include "disk/memory_bytes.h"

namespace cohort::disk {

ContentHash::ContentHash(std::uint64_t virtual_size) { lines_.update(fmt::format("{}\n", virtual_size)); }

void ContentHash::add(std::uint64_t offset, const std::string& sha256) {
  lines_.update(fmt::format("{} {}\n", offset, sha256));
}

std::string digest_of_block(std::span<const std::byte> block) {
  return is_zero(block) ? std::string() : Sha256::of(text_of(block));
}

}  // namespace cohort::disk
