// What follows the fixed fields in the head of a qcow2 file (QEMU's docs/interop/qcow2.txt).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace cohort {

struct Qcow2Extension {
  std::uint32_t type = 0;
  std::string_view data;
};

// The name of an external data file.
inline constexpr std::uint32_t kQcow2DataFileExtension = 0x44415441;

// Gives the extensions one by one.
class Qcow2Extensions {
 public:
  // Those that begin at `begin` of `head`, which ends where the backing file's name begins, or with the first cluster.
  Qcow2Extensions(std::string_view head, std::size_t begin) : head_(head), place_(begin) {}

  // Nothing after the last one; kCorrupt for one that does not fit.
  [[nodiscard]] Result<std::optional<Qcow2Extension>> next();

 private:
  std::string_view head_;
  std::uint64_t place_;
};

}  // namespace cohort
