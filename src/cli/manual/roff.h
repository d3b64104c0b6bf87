// Plain text as roff source.
#pragma once

#include <string>
#include <string_view>

namespace cohort::cli {

// One line of text: what roff would read as its own is escaped, dashes can be searched for and copied.
[[nodiscard]] std::string roff_line(std::string_view text);
// Paragraphs, separated by empty lines, with their macros between them.
[[nodiscard]] std::string roff_paragraphs(std::string_view text);

}  // namespace cohort::cli
