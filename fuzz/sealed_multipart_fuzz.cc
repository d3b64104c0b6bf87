// A body that says it is sealed, behind the header Content-Type it comes with (the first line).
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/sealed_multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cohort::http;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view type = input.substr(0, line), body = input.substr(line + 1);
  static_cast<void>(is_sealed(type));
  const auto sealed = read_sealed(type, body);
  if (!sealed) return 0;
  // What was read can be written, and reads the same.
  std::string written;
  for (const SealedPart& each : sealed->parts) {
    written += write_sealed_part(sealed->form, each.content_type, 0, {std::string(each.token), ""});
  }
  const std::string whole = written + std::string(sealed_end());
  const auto again = read_sealed(sealed_content_type(sealed->form), whole);
  if (!again || again->parts.size() != sealed->parts.size()) __builtin_trap();
  return 0;
}
