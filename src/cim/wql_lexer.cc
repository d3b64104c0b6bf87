#include "cim/wql_lexer.h"

#include <algorithm>
#include <array>

namespace cohort::cim {
namespace {

using Kind = WqlToken::Kind;

constexpr std::size_t kMaxBytes = std::size_t{64} << 10U;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_in_word(char c) { return begins_word(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}

  Result<std::vector<WqlToken>> split() {
    if (query_.size() > kMaxBytes) return wrong_wql(0, "the query is too long");
    std::vector<WqlToken> tokens;
    do {
      COHORT_ASSIGN(WqlToken token, next());
      tokens.push_back(std::move(token));
    } while (tokens.back().kind != Kind::kEnd);
    return tokens;
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0';
  }

  WqlToken take(Kind kind, std::size_t length) {
    WqlToken token{kind, std::string(query_.substr(at_, length)), at_};
    at_ += length;
    return token;
  }

  [[nodiscard]] std::size_t run(bool (*belongs)(char)) const {
    const std::string_view rest = query_.substr(at_ + 1);
    return 1 + static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), belongs) - rest.begin());
  }

  Result<WqlToken> next() {
    while (at_ < query_.size() && is_space(peek())) ++at_;
    const char c = peek();
    if (at_ >= query_.size()) return WqlToken{Kind::kEnd, "", at_};
    if (begins_word(c)) return take(Kind::kWord, run(is_in_word));
    if (is_digit(c) || ((c == '-' || c == '+') && is_digit(peek(1)))) {
      return take(Kind::kNumber, run([](char each) { return is_in_word(each) || each == '.'; }));
    }
    if (c == '\'' || c == '"') return quoted();
    if (c == '{') return path();
    return symbol();
  }

  Result<WqlToken> symbol() {
    constexpr std::array<std::string_view, 4> kPairs = {"<>", "!=", "<=", ">="};
    for (const std::string_view pair : kPairs) {
      if (query_.substr(at_).starts_with(pair)) return take(Kind::kSymbol, 2);
    }
    if (std::string_view("=<>(),*.").find(peek()) == std::string_view::npos) {
      return wrong_wql(at_, "this character is not WQL");
    }
    return take(Kind::kSymbol, 1);
  }

  // \\ \' and \" are escapes; another backslash stands for itself, as clients write it in patterns.
  Result<WqlToken> quoted() {
    WqlToken token{Kind::kString, "", at_};
    const char quote = query_[at_++];
    while (at_ < query_.size() && peek() != quote) {
      const bool is_escape = peek() == '\\' && (peek(1) == '\\' || peek(1) == '\'' || peek(1) == '"');
      if (is_escape) ++at_;
      token.text += query_[at_++];
    }
    if (at_ >= query_.size()) return wrong_wql(token.offset, "this text has no closing quote");
    ++at_;
    return token;
  }

  // Braces in quotes belong to the path.
  Result<WqlToken> path() {
    const std::size_t begin = at_++;
    char quote = '\0';
    while (at_ < query_.size() && (quote != '\0' || peek() != '}')) {
      if (quote != '\0' && peek() == '\\') {
        ++at_;
      } else if (quote == '\0' && (peek() == '"' || peek() == '\'')) {
        quote = peek();
      } else if (peek() == quote) {
        quote = '\0';
      }
      ++at_;
    }
    if (at_ >= query_.size()) return wrong_wql(begin, "this path has no closing brace");
    WqlToken token{Kind::kPath, std::string(query_.substr(begin + 1, at_ - begin - 1)), begin};
    ++at_;
    return token;
  }

  std::string_view query_;
  std::size_t at_ = 0;
};

}  // namespace

Failure wrong_wql(std::size_t offset, std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "The query is wrong at character {}: {}.", offset + 1, what);
}

Result<std::vector<WqlToken>> split_wql(std::string_view query) { return Lexer(query).split(); }

}  // namespace cohort::cim
