// Single UTF-16 units, as char16 and MOF's escapes have them.
#pragma once

#include <string>

namespace cohort::cim {

// The unit as UTF-8; U+FFFD for half a surrogate pair, which is no character.
[[nodiscard]] std::string utf8_of(char16_t unit);

}  // namespace cohort::cim
