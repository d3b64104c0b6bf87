// Documents in UTF-16.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cohort::codec::xml {

// The document in UTF-8, without a byte order mark. Fails with kCorrupt if it is neither UTF-8 nor UTF-16.
[[nodiscard]] Result<std::string> to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace cohort::codec::xml
