#include "cli/output/table.h"

#include <algorithm>
#include <utility>

#include "cli/output/printable.h"

namespace cohort::cli {

namespace {

std::string pad(const std::string& cell, std::size_t width, Align align) {
  const std::string blanks(width - std::min(width, display_width(cell)), ' ');
  return align == Align::kLeft ? cell + blanks : blanks + cell;
}

void end_line(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
  line += '\n';
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> titles;
  for (const auto& column : columns_) {
    titles.push_back(column.title);
  }
  rows_.push_back(std::move(titles));
}

void Table::add(const std::vector<std::string>& cells) {
  std::vector<std::string> row(columns_.size());
  std::transform(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(std::min(cells.size(), row.size())),
                 row.begin(), [](const auto& cell) { return printable(cell); });
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  return widths;
}

std::string Table::str() const {
  const auto column_widths = widths();
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += (i == 0 ? "" : "  ") + pad(row[i], column_widths[i], columns_[i].align);
    }
    end_line(line);
    text += line;
  }
  return text;
}

void Sheet::add(const std::string& label, const std::string& value) { lines_.emplace_back(label, printable(value)); }

std::string Sheet::str() const {
  std::size_t width = 0;
  for (const auto& [label, value] : lines_) {
    width = std::max(width, display_width(label));
  }
  std::string text;
  for (const auto& [label, value] : lines_) {
    std::string line = pad(label + ":", width + 3, Align::kLeft) + value;
    end_line(line);
    text += line;
  }
  return text;
}

}  // namespace cohort::cli
