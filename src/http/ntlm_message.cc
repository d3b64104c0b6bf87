#include "http/ntlm_message.h"

#include <cstddef>
#include <cstdint>

namespace cohort::http {
namespace {

constexpr std::string_view kSignature{"NTLMSSP\0\x03\0\0\0", 12};  // AUTHENTICATE_MESSAGE
constexpr std::size_t kUserField = 36, kFlags = 60, kLeast = 64;   // offsets
constexpr unsigned char kUnicode = 1;                              // a bit of the flags
constexpr std::size_t kLongestUser = 256;                          // characters

std::size_t little_endian(std::string_view bytes, std::size_t offset, std::size_t size) {
  std::size_t value = 0;
  while (size-- > 0) value = value << 8U | static_cast<unsigned char>(bytes[offset + size]);
  return value;
}

char folded(std::size_t c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c > 0x20 && c < 0x7F ? static_cast<char>(c) : '?';
}

}  // namespace

std::optional<std::string> ntlm_user(std::string_view token) {
  const auto begin = token.find(kSignature);
  if (begin == std::string_view::npos || token.size() - begin < kLeast) return std::nullopt;
  const std::string_view message = token.substr(begin);
  const std::size_t length = little_endian(message, kUserField, 2);
  const std::size_t offset = little_endian(message, kUserField + 4, 4);
  if (offset > message.size() || length > message.size() - offset) return std::nullopt;
  const std::size_t width = (static_cast<unsigned char>(message[kFlags]) & kUnicode) != 0 ? 2 : 1;
  std::string name;
  for (std::size_t at = 0; at + width <= length && name.size() < kLongestUser; at += width) {
    const std::size_t character = little_endian(message, offset + at, width);
    if (character == 0) break;
    name += folded(character);
  }
  return name;
}

}  // namespace cohort::http
