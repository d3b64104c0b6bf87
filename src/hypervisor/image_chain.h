// The files a disk consists of, and where a snapshot's overlay stands among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/machine.h"
#include "domain/snapshot.h"

namespace cohort::hypervisor {

using Chain = std::vector<Layer>;  // the active file first

// libvirt and QEMU refuse chains that are longer.
inline constexpr std::size_t kLongestChain = 200;

struct ImageChain {
  Chain layers;
  std::uint64_t virtual_size = 0;  // bytes, of the first
  bool is_encrypted = false;       // any of the layers
};

// The chain as the image headers tell it, read by qemu-img without taking QEMU's locks. kUnsupported if one of the
// layers is no file.
[[nodiscard]] Result<ImageChain> read_image_chain(const Layer& top);
// Reads what `qemu-img info --backing-chain --output=json` prints.
[[nodiscard]] Result<ImageChain> parse_image_chain(std::string_view json);

// True for two names of one file.
[[nodiscard]] bool is_same_file(const Path& a, const Path& b);
[[nodiscard]] bool is_in(const Chain& chain, const Path& file);

enum class Standing {
  kOnFrozen,   // the overlay is in the chain, directly on the frozen file
  kWithout,    // the overlay is not in the chain, the frozen file is
  kOtherwise,  // the chain is not what the snapshot left
};
struct Place {
  Standing standing = Standing::kOtherwise;
  std::size_t overlay = 0;  // its index in the chain, for kOnFrozen
};
[[nodiscard]] Place place_of(const DiskSnapshot& disk, const Chain& chain);

}  // namespace cohort::hypervisor
