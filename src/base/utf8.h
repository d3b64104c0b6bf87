// UTF-8 (RFC 3629).
#pragma once

#include <string_view>

namespace cohort {

// True if the text is well formed: no overlong forms, no surrogates, nothing beyond U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace cohort
