// The SHA-256 of a file that is written with holes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/sha256_of_parts.h"

namespace cohort::disk {

class FileHash {
 public:
  explicit FileHash(bool in_one_pass = Sha256OfParts::is_one_pass()) : sha256_(in_one_pass) {}

  // What the file has from `offset` on; between the last bytes and these it has zeros. Zeros cost as much as other
  // bytes (each step of SHA-256 needs the one before), except that they do not come from memory.
  // False if `stop` was requested before: the hash is then of no use.
  // REQUIRES: `offset` is not before the end of what was added.
  [[nodiscard]] bool add(std::uint64_t offset, std::span<const std::byte> bytes, const std::stop_token& stop);
  // The same, and the SHA-256 of these bytes alone; nothing where add() says false.
  [[nodiscard]] std::optional<std::string> add_part(std::uint64_t offset, std::span<const std::byte> part,
                                                    const std::stop_token& stop);
  // 64 lower-case hex digits; the object is spent.
  [[nodiscard]] std::string finish() { return sha256_.finish(); }

 private:
  [[nodiscard]] bool add_zeros(std::uint64_t offset, const std::stop_token& stop);

  Sha256OfParts sha256_;
  std::uint64_t end_ = 0;
};

}  // namespace cohort::disk
