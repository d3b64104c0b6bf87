// Text as a terminal shows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cohort::cli {

// Columns that the text takes: wide characters (East Asian, emoji) two, combining ones none.
[[nodiscard]] std::size_t display_width(std::string_view text);

// The same text without what could command a terminal or mislead the reader: control characters (line ends too),
// direction overrides and bytes that are not UTF-8 become '?'. For names that come from outside.
[[nodiscard]] std::string printable(std::string_view text);

// Cut to `width` columns, "…" at its end where something is missing.
[[nodiscard]] std::string fit(std::string_view text, std::size_t width);

// Broken into lines of at most `width` columns at spaces; each line begins with `indent` spaces and ends with a
// newline. An empty line of the text separates paragraphs.
[[nodiscard]] std::string wrap(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace cohort::cli
