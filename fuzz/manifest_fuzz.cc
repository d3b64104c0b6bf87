// A manifest that is read can be written and read again, and is the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "package/manifest.h"
#include "package/writer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cohort::package;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto manifest = parse_manifest(text);
  if (!manifest) return 0;
  for (const auto* entry : manifest->files()) {
    if (!is_safe_path(entry->file)) std::abort();
  }
  const std::string once = format_manifest(*manifest);
  const auto again = parse_manifest(once);
  if (!again || format_manifest(*again) != once) std::abort();
  if (format_hash_list(*manifest, once) != format_hash_list(*again, once)) std::abort();
  return 0;
}
