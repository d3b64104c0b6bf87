// The token of a negotiation, which is looked through for a name before anybody has checked it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/ntlm_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto name = cohort::http::ntlm_user({reinterpret_cast<const char*>(data), size});
  if (!name) return 0;
  // It goes to the log and is compared with names: short, printable, folded.
  const bool is_plain =
      std::all_of(name->begin(), name->end(), [](char c) { return c > ' ' && c < '\x7F' && (c < 'A' || c > 'Z'); });
  if (!is_plain || name->size() > 256) __builtin_trap();
  return 0;
}
