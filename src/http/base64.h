// Base64 (RFC 4648, section 4), through OpenSSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cohort::http {

[[nodiscard]] std::string to_base64(std::string_view bytes);
// Nothing if the text is not base64 with its padding.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace cohort::http
