#include "cli/output/printable.h"

#include <algorithm>
#include <array>

namespace cohort::cli {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// The blocks of Unicode's EastAsianWidth.txt that are wholly or mostly wide.
constexpr std::array<Range, 12> kWide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0x33FF},
                                       {0x3400, 0x4DBF},
                                       {0x4E00, 0x9FFF},
                                       {0xA000, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0x1F300, 0x1F9FF},
                                       {0x20000, 0x3FFFD}}};
// Combining marks, joiners and variation selectors.
constexpr std::array<Range, 6> kNoWidth{
    {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
// Controls, and what turns the direction of writing.
constexpr std::array<Range, 5> kNotShown{
    {{0x00, 0x1F}, {0x7F, 0x9F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}}};

template <std::size_t kCount>
bool is_in(const std::array<Range, kCount>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](const Range& r) { return r.first <= c && c <= r.last; });
}

struct Character {
  std::string_view bytes;
  char32_t code = 0;
  bool is_valid = false;
};

std::size_t sequence_length(unsigned char first) {
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return 2;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    return 3;
  }
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

bool is_well_formed(char32_t code, std::size_t length) {
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  return code >= kLeast.at(length) && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

// The first character of a text that is not empty; a byte that begins none stands for itself.
Character first_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = sequence_length(first);
  if (length == 0 || length > text.size()) {
    return {text.substr(0, 1)};
  }
  char32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) {
      return {text.substr(0, 1)};
    }
    code = (code << 6U) | (next & 0x3FU);
  }
  return is_well_formed(code, length) ? Character{text.substr(0, length), code, true} : Character{text.substr(0, 1)};
}

std::size_t width_of(const Character& character) {
  if (is_in(kNoWidth, character.code)) {
    return 0;
  }
  return is_in(kWide, character.code) ? 2 : 1;
}

template <typename Visit>
void for_each_character(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const Character character = first_character(text);
    visit(character);
    text.remove_prefix(character.bytes.size());
  }
}

// Takes the first word off the text; true if an empty line stood before it.
bool take_word(std::string_view& text, std::string_view& word) {
  const std::size_t begin = std::min(text.find_first_not_of(" \n"), text.size());
  const bool is_paragraph = text.substr(0, begin).find("\n\n") != std::string_view::npos;
  text.remove_prefix(begin);
  word = text.substr(0, text.find_first_of(" \n"));
  text.remove_prefix(word.size());
  return is_paragraph;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for_each_character(text, [&width](const Character& character) { width += width_of(character); });
  return width;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for_each_character(text, [&result](const Character& character) {
    if (character.is_valid && !is_in(kNotShown, character.code)) {
      result += character.bytes;
    } else {
      result += '?';
    }
  });
  return result;
}

std::string fit(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) {
    return std::string(text);
  }
  std::string result;
  std::size_t used = 1;  // the ellipsis
  for_each_character(text, [&](const Character& character) {
    used += width_of(character);
    if (used <= width) {
      result += character.bytes;
    }
  });
  return width == 0 ? std::string{} : result + "…";
}

std::string wrap(std::string_view text, std::size_t width, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string result;
  std::string line;
  const auto end_line = [&] {
    if (!line.empty()) {
      result += margin + line + "\n";
      line.clear();
    }
  };
  std::string_view word;
  while (true) {
    const bool is_paragraph = take_word(text, word);
    if (word.empty()) {
      break;
    }
    if (is_paragraph || indent + display_width(line) + 1 + display_width(word) > width) {
      end_line();
    }
    if (is_paragraph && !result.empty()) {
      result += "\n";
    }
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  end_line();
  return result;
}

}  // namespace cohort::cli
