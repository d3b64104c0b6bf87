// Documents in UTF-16.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cohort::codec::xml {

// Whether the document is in UTF-16, as its first bytes show, or else its charset.
[[nodiscard]] bool is_utf16(std::string_view bytes, std::string_view charset);

// The document in UTF-8, without a byte order mark. Fails with kCorrupt if it is neither UTF-8 nor UTF-16.
[[nodiscard]] Result<std::string> to_utf8(std::string_view bytes, std::string_view charset);

// A document in UTF-8 in UTF-16, little-endian, behind a byte order mark.
// REQUIRES: the text is UTF-8.
[[nodiscard]] std::string to_utf16(std::string_view text);

}  // namespace cohort::codec::xml
