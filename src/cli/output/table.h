// Aligned columns for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cohort::cli {

enum class Align { kLeft, kRight };

struct Column {
  std::string title;
  Align align = Align::kLeft;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // As many cells as there are columns. Cells are made printable.
  void add(const std::vector<std::string>& cells);
  // Title and rows, two spaces between columns, a newline after each row, no blanks at its end.
  [[nodiscard]] std::string str() const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // the titles first
};

// "Label:  value" lines with the values below each other.
class Sheet {
 public:
  void add(const std::string& label, const std::string& value);
  [[nodiscard]] std::string str() const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace cohort::cli
