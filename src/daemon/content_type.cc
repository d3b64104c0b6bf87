#include "daemon/content_type.h"

#include <algorithm>

#include "http/header_text.h"

namespace cohort::daemon {
namespace {

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return made;
}

}  // namespace

ContentType parse_content_type(std::string_view text) {
  ContentType parsed{lower(http::take_until(text, ';')), {}};
  while (!text.empty()) {
    const std::string_view part = http::take_until(text, ';');
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || lower(http::trimmed(part.substr(0, equals))) != "charset") continue;
    parsed.charset = lower(http::unquoted(http::trimmed(part.substr(equals + 1))));
  }
  return parsed;
}

}  // namespace cohort::daemon
