// Whatever the bytes are: the parser stays inside them, and what it returns is within the format's bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "disk/qcow2_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of its own, so that the address sanitizer sees the first byte that is read past the end.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto header = cohort::disk::parse_qcow2_header(bytes);
  if (!header) return 0;
  if (header->cluster_bits < 9 || header->cluster_bits > 21) std::abort();
  if (header->virtual_size > INT64_MAX || header->l1_offset > INT64_MAX) std::abort();
  if (header->backing_file && header->backing_file->size() > 1023) std::abort();
  return 0;
}
