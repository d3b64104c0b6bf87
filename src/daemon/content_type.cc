#include "daemon/content_type.h"

#include "http/header_text.h"

namespace cohort::daemon {

ContentType parse_content_type(std::string_view text) {
  ContentType parsed{http::in_lower_case(http::take_until(text, ';')), {}};
  while (!text.empty()) {
    const std::string_view part = http::take_until(text, ';');
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || http::in_lower_case(http::trimmed(part.substr(0, equals))) != "charset")
      continue;
    parsed.charset = http::in_lower_case(http::unquoted(http::trimmed(part.substr(equals + 1))));
  }
  return parsed;
}

}  // namespace cohort::daemon
