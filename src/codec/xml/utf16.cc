#include "codec/xml/utf16.h"

#include <algorithm>

#include "base/utf8.h"

namespace cohort::codec::xml {
namespace {

Failure not_text() { return fail(ErrorCode::kCorrupt, "The document is neither UTF-8 nor UTF-16."); }

bool is_named_utf16(std::string_view charset) {
  std::string name(charset.substr(0, 16));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name.starts_with("utf-16") || name.starts_with("utf16") || name == "unicode";
}

enum class Order { kNone, kLittle, kBig };

// A document begins with '<' or a mark; the place of the zero tells the order.
Order order_of(std::string_view bytes, std::string_view charset) {
  if (bytes.size() < 2) return Order::kNone;
  if (bytes.starts_with("\xff\xfe") || bytes[1] == '\0') return Order::kLittle;
  if (bytes.starts_with("\xfe\xff") || bytes[0] == '\0') return Order::kBig;
  // Clients say "UTF-16" of documents that are not, too.
  return is_named_utf16(charset) && !is_utf8(bytes) ? Order::kLittle : Order::kNone;
}

void append(std::string& text, char32_t c) {
  const auto code = static_cast<unsigned>(c);
  const auto put = [&](unsigned byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0U | code >> 6U);
  } else if (code < 0x10000) {
    put(0xe0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3fU));
  } else {
    put(0xf0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3fU));
    put(0x80U | (code >> 6U & 0x3fU));
  }
  put(0x80U | (code & 0x3fU));
}

Result<std::string> from_utf16(std::string_view bytes, Order order) {
  if (bytes.size() % 2 != 0) return not_text();
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned>(static_cast<unsigned char>(bytes[i]));
    const auto b = static_cast<unsigned>(static_cast<unsigned char>(bytes[i + 1]));
    return order == Order::kLittle ? a | b << 8U : b | a << 8U;
  };
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    unsigned code = unit(i);
    if (code >= 0xd800 && code < 0xe000) {
      const unsigned low = code < 0xdc00 && i + 3 < bytes.size() ? unit(i + 2) : 0;
      if (low < 0xdc00 || low >= 0xe000) return not_text();
      code = 0x10000U + ((code - 0xd800U) << 10U) + (low - 0xdc00U);
      i += 2;
    }
    append(text, static_cast<char32_t>(code));
  }
  return text;
}

// The first character, which is taken off.
char32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t character = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) character = character << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
  text.remove_prefix(length);
  return character;
}

}  // namespace

bool is_utf16(std::string_view bytes, std::string_view charset) { return order_of(bytes, charset) != Order::kNone; }

std::string to_utf16(std::string_view text) {
  std::string bytes = "\xff\xfe";
  const auto put = [&](unsigned unit) {
    bytes += static_cast<char>(unit & 0xffU);
    bytes += static_cast<char>(unit >> 8U);
  };
  while (!text.empty()) {
    const char32_t character = take_character(text);
    if (character < 0x10000) {
      put(static_cast<unsigned>(character));
    } else {
      put(0xd800U + (static_cast<unsigned>(character - 0x10000) >> 10U));
      put(0xdc00U + (static_cast<unsigned>(character) & 0x3ffU));
    }
  }
  return bytes;
}

Result<std::string> to_utf8(std::string_view bytes, std::string_view charset) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  std::string text(bytes);
  if (const Order order = order_of(bytes, charset); order != Order::kNone) {
    COHORT_ASSIGN(text, from_utf16(bytes, order));
  } else if (!is_utf8(text)) {
    return not_text();
  }
  if (text.starts_with(kMark)) text.erase(0, kMark.size());
  // XML has no zeros, and by them libxml2 would take the text for one in another encoding, and decode it once more.
  if (text.find('\0') != std::string::npos) return not_text();
  return text;
}

}  // namespace cohort::codec::xml
