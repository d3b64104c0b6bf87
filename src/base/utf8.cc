#include "base/utf8.h"

#include <cstdint>

namespace cohort {
namespace {

struct Lead {
  std::size_t following;   // bytes
  std::uint32_t bits;      // of the code point, from the first byte
  std::uint32_t smallest;  // code point that needs this length
};

// False for a byte that cannot begin a character.
bool read_lead(unsigned char byte, Lead& lead) {
  if (byte < 0x80) {
    lead = {0, byte, 0};
  } else if ((byte & 0xe0U) == 0xc0) {
    lead = {1, byte & 0x1fU, 0x80};
  } else if ((byte & 0xf0U) == 0xe0) {
    lead = {2, byte & 0x0fU, 0x800};
  } else if ((byte & 0xf8U) == 0xf0) {
    lead = {3, byte & 0x07U, 0x10000};
  } else {
    return false;
  }
  return true;
}

bool is_character(std::uint32_t point, std::uint32_t smallest) {
  const bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
  return point >= smallest && point <= 0x10ffff && !is_surrogate;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    Lead lead{};
    if (!read_lead(static_cast<unsigned char>(text[0]), lead) || text.size() <= lead.following) return false;
    std::uint32_t point = lead.bits;
    for (std::size_t i = 1; i <= lead.following; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if ((byte & 0xc0U) != 0x80) return false;
      point = (point << 6U) | (byte & 0x3fU);
    }
    if (!is_character(point, lead.smallest)) return false;
    text.remove_prefix(lead.following + 1);
  }
  return true;
}

}  // namespace cohort
