// What compiling classes and reading instances have in common; a part of mof.h.
#pragma once

#include <string_view>

#include "cim/mof_lexer.h"
#include "cim/value.h"

namespace cohort::cim {

class MofReader {
 public:
  MofReader(std::string_view file, std::string_view text) : lexer_(file, text) {}

  // Reads the first token. To be called once, before all else.
  [[nodiscard]] Result<void> begin() { return advance(); }

  [[nodiscard]] const MofToken& token() const { return token_; }
  [[nodiscard]] bool at_end() const { return token_.kind == MofToken::Kind::kEnd; }
  [[nodiscard]] bool is_symbol(char symbol) const;
  [[nodiscard]] bool is_word(std::string_view word) const;  // in any case
  // An error at the token that is next.
  [[nodiscard]] Failure wrong(std::string_view what) const { return lexer_.wrong(token_.offset, what); }
  [[nodiscard]] Failure wrong_at(std::size_t offset, std::string_view what) const { return lexer_.wrong(offset, what); }

  [[nodiscard]] Result<void> advance();
  // Takes the symbol or word if it is next; false if it is not.
  [[nodiscard]] Result<bool> take(char symbol);
  [[nodiscard]] Result<bool> take_word(std::string_view word);
  [[nodiscard]] Result<void> expect(char symbol);
  [[nodiscard]] Result<std::string> expect_name(std::string_view what);
  // A literal, or a list of them in braces, or NULL.
  [[nodiscard]] Result<Value> value();
  // "instance of CLASS { … }", the words before the braces included. The semicolon is left.
  [[nodiscard]] Result<Instance> instance();

 private:
  [[nodiscard]] Result<Element> literal();
  [[nodiscard]] Result<Element> string_literal();
  [[nodiscard]] Result<Element> number_literal();
  [[nodiscard]] Result<Value> list();
  [[nodiscard]] Result<NamedValue> property_value();

  MofLexer lexer_;
  MofToken token_;
  int depth_ = 0;
  std::size_t literals_ = 0;
};

}  // namespace cohort::cim
