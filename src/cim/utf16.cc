#include "cim/utf16.h"

namespace cohort::cim {

std::string utf8_of(char16_t unit) {
  const auto code = static_cast<unsigned>(unit);
  const auto put = [](unsigned byte) { return static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) return {put(code)};
  if (code < 0x800) return {put(0xc0U | code >> 6U), put(0x80U | (code & 0x3fU))};
  if (code >= 0xd800 && code < 0xe000) return "\xef\xbf\xbd";
  return {put(0xe0U | code >> 12U), put(0x80U | (code >> 6U & 0x3fU)), put(0x80U | (code & 0x3fU))};
}

}  // namespace cohort::cim
