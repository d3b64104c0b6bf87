#include "cim/mof_lexer.h"

#include <algorithm>

#include "base/utf8.h"
#include "cim/utf16.h"

namespace cohort::cim {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }
bool is_in_word(char c) { return begins_word(c) || is_digit(c); }
bool is_in_number(char c) { return is_in_word(c) || c == '+' || c == '-' || c == '.'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

Failure MofLexer::wrong(std::size_t offset, std::string_view what) const {
  const std::string_view before = text_.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_begin = before.rfind('\n');
  const std::size_t column = line_begin == std::string_view::npos ? offset + 1 : offset - line_begin;
  return fail(ErrorCode::kInvalidArgument, "{}:{}:{}: {}", file_, line, column, what);
}

Result<void> MofLexer::skip_space() {
  while (at_ < text_.size()) {
    if (is_space(peek())) {
      ++at_;
    } else if (peek() == '/' && peek(1) == '/') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (peek() == '/' && peek(1) == '*') {
      const std::size_t end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return wrong(at_, "this comment has no end");
      at_ = end + 2;
    } else {
      break;
    }
  }
  return {};
}

MofToken MofLexer::run_of(MofToken::Kind kind, bool (*belongs)(char)) {
  const std::size_t begin = at_;
  do {
    ++at_;
  } while (at_ < text_.size() && belongs(peek()));
  return {kind, std::string(text_.substr(begin, at_ - begin)), begin};
}

Result<MofToken> MofLexer::next() {
  COHORT_TRY(skip_space());
  const char c = peek();
  if (at_ >= text_.size()) return MofToken{MofToken::Kind::kEnd, "", at_};
  if (begins_word(c)) return run_of(MofToken::Kind::kWord, is_in_word);
  if (c == '#') return run_of(MofToken::Kind::kPragma, is_in_word);
  if (is_digit(c) || ((c == '-' || c == '+' || c == '.') && is_digit(peek(1)))) {
    return run_of(MofToken::Kind::kNumber, is_in_number);
  }
  if (c == '"') return quoted(c, MofToken::Kind::kString);
  if (c == '\'') return quoted(c, MofToken::Kind::kChar);
  if (std::string_view("[](){};:,=.").find(c) == std::string_view::npos) return wrong(at_, "this character is not MOF");
  return MofToken{MofToken::Kind::kSymbol, std::string(1, c), at_++};
}

Result<MofToken> MofLexer::quoted(char quote, MofToken::Kind kind) {
  MofToken token{kind, "", at_};
  ++at_;
  while (at_ < text_.size() && peek() != quote && peek() != '\n') COHORT_TRY(quoted_character(token.text));
  if (peek() != quote) return wrong(token.offset, "this text has no closing quote on its line");
  ++at_;
  if (!is_utf8(token.text)) return wrong(token.offset, "this text is not UTF-8");
  return token;
}

Result<void> MofLexer::quoted_character(std::string& into) {
  if (peek() == '\\') return escape(into);
  into += text_[at_++];
  return {};
}

// \b \t \n \f \r \" \' \\ and \x with one to four hexadecimal digits.
Result<void> MofLexer::escape(std::string& into) {
  constexpr std::string_view kLetters = "btnfr\"'\\";
  constexpr std::string_view kMeanings = "\b\t\n\f\r\"'\\";
  const std::size_t begin = at_++;
  const char letter = peek();
  ++at_;
  if (const std::size_t which = kLetters.find(letter); which != std::string_view::npos) {
    into += kMeanings[which];
    return {};
  }
  if (letter != 'x' && letter != 'X') return wrong(begin, "there is no such escape");
  unsigned unit = 0;
  std::size_t digits = 0;
  for (; digits < 4; ++digits, ++at_) {
    const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(peek());
    if (at_ >= text_.size() || digit == std::string_view::npos) break;
    unit = unit * 16 + static_cast<unsigned>(digit < 16 ? digit : digit - 6);
  }
  if (digits == 0) return wrong(begin, "\\x needs hexadecimal digits");
  into += utf8_of(static_cast<char16_t>(unit));
  return {};
}

}  // namespace cohort::cim
