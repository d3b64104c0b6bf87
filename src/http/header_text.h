// The pieces that values of headers consist of: `type; name="value"` (RFC 9110 5.6).
#pragma once

#include <string>
#include <string_view>

namespace cohort::http {

// Without the blanks around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);
// Up to the separator, which is taken away with it; all of it if there is none.
[[nodiscard]] std::string_view take_until(std::string_view& text, char separator);
[[nodiscard]] std::string_view unquoted(std::string_view text);
// Letters of ASCII; the others stay.
[[nodiscard]] std::string in_lower_case(std::string_view text);

}  // namespace cohort::http
