#include "cli/manual/roff.h"

namespace cohort::cli {

std::string roff_line(std::string_view text) {
  std::string result;
  if (text.starts_with('.') || text.starts_with('\'')) {
    result = "\\&";
  }
  for (const char c : text) {
    switch (c) {
      case '\\':
        result += "\\e";
        break;
      case '-':
        result += "\\-";
        break;
      case '\'':
        result += "\\(aq";
        break;
      case '~':
        result += "\\(ti";
        break;
      case '"':
        result += "\\(dq";
        break;
      case '\n':
        result += ' ';
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string roff_paragraphs(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto end = text.find("\n\n");
    result += (result.empty() ? "" : ".PP\n") + roff_line(text.substr(0, end)) + "\n";
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
  return result;
}

}  // namespace cohort::cli
