#include "daemon/content_type.h"

#include <algorithm>

namespace cohort::daemon {
namespace {

constexpr std::string_view kSpace = " \t";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return made;
}

// Up to the next ';', which is taken away with it.
std::string_view take_part(std::string_view& text) {
  const auto end = text.find(';');
  const std::string_view part = trimmed(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

std::string_view unquoted(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

ContentType parse_content_type(std::string_view text) {
  ContentType parsed{lower(take_part(text)), {}};
  while (!text.empty()) {
    const std::string_view part = take_part(text);
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || lower(trimmed(part.substr(0, equals))) != "charset") continue;
    parsed.charset = lower(unquoted(trimmed(part.substr(equals + 1))));
  }
  return parsed;
}

}  // namespace cohort::daemon
