#include "codec/xml/writer.h"

#include <algorithm>

#include "base/utf8.h"

namespace cohort::codec::xml {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

std::string_view escape_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return static_cast<unsigned char>(c) < 0x20 ? kReplacement : std::string_view();
  }
}

// Bytes that are no UTF-8 are replaced one by one. U+FFFE and U+FFFF are no characters of XML.
std::size_t character_at(std::string_view text) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size()); ++length) {
    const std::string_view one = text.substr(0, length);
    if (is_utf8(one)) return one == "\xef\xbf\xbe" || one == "\xef\xbf\xbf" ? 0 : length;
  }
  return 0;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_at(text);
    const std::string_view escape = length == 0 ? kReplacement : escape_of(text.front());
    result += escape.empty() ? text.substr(0, length) : escape;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

void Writer::finish_tag() {
  if (is_in_tag_) written_ += '>';
  is_in_tag_ = false;
}

Writer& Writer::open(std::string_view name) {
  finish_tag();
  written_ += '<';
  written_ += name;
  open_.emplace_back(name);
  is_in_tag_ = true;
  return *this;
}

Writer& Writer::attribute(std::string_view name, std::string_view value) {
  written_ += ' ';
  written_ += name;
  written_ += "=\"";
  written_ += escaped(value);
  written_ += '"';
  return *this;
}

Writer& Writer::text(std::string_view text) { return raw(escaped(text)); }

Writer& Writer::raw(std::string_view xml) {
  finish_tag();
  written_ += xml;
  return *this;
}

Writer& Writer::close() {
  finish_tag();
  written_ += "</" + open_.back() + ">";
  open_.pop_back();
  return *this;
}

Writer& Writer::element(std::string_view name, std::string_view content) { return open(name).text(content).close(); }

}  // namespace cohort::codec::xml
