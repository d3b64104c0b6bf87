// The words of MOF (DSP0004 annex A, DSP0221); a part of mof.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cohort::cim {

struct MofToken {
  enum class Kind { kWord, kNumber, kString, kChar, kSymbol, kPragma, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;  // of a string or character: what it means
  std::size_t offset = 0;
};

class MofLexer {
 public:
  // `file` is named in errors. The text must outlive the lexer.
  MofLexer(std::string_view file, std::string_view text) : file_(file), text_(text) {}

  // kInvalidArgument, with file:line:column, for what is no MOF.
  [[nodiscard]] Result<MofToken> next();
  // An error at a place in the text.
  [[nodiscard]] Failure wrong(std::size_t offset, std::string_view what) const;

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Result<void> skip_space();
  Result<MofToken> quoted(char quote, MofToken::Kind kind);
  Result<void> quoted_character(std::string& into);
  Result<void> escape(std::string& into);
  MofToken run_of(MofToken::Kind kind, bool (*belongs)(char));

  std::string file_;
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace cohort::cim
