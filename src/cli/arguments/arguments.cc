#include "cli/arguments/arguments.h"

#include <CLI/CLI.hpp>

namespace cohort::cli {

namespace {

// No word of a command line that a person writes begins with it (ASCII SOH).
constexpr char kMark = '\x01';

bool needs_mark(const std::string& word) {
  return !word.empty() && (word.front() == kMark || (word.front() == '[' && word.back() == ']'));
}

}  // namespace

std::vector<std::string> mark_plain_words(const std::vector<std::string>& words) {
  std::vector<std::string> marked;
  bool is_plain = false;
  for (const auto& word : words) {
    if (word == "--" && !is_plain) {
      is_plain = true;
    } else {
      marked.push_back(is_plain || needs_mark(word) ? kMark + word : word);
    }
  }
  return marked;
}

std::string without_mark(std::string word) {
  if (word.starts_with(kMark)) {
    word.erase(0, 1);
  }
  return word;
}

void Arguments::required(const std::string& name, std::string& value, const std::string& help) {
  app_.add_option(name, value, help)->transform(without_mark)->required();
}

void Arguments::optional(const std::string& name, std::string& value, const std::string& help) {
  app_.add_option(name, value, help)->transform(without_mark);
}

void Arguments::required_many(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  app_.add_option(name, values, help)->transform(without_mark)->required();
}

void Arguments::optional_many(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  app_.add_option(name, values, help)->transform(without_mark);
}

void Arguments::flag(const std::string& names, bool& value, const std::string& help) {
  app_.add_flag(names, value, help);
}

void Arguments::flag_with_value(const std::string& names, std::string& value, const std::string& help) {
  app_.add_flag(names, value, help);  // CLI11 stores "true" where no value is given
}

void Arguments::option(const std::string& names, std::string& value, const std::string& kind, const std::string& help) {
  app_.add_option(names, value, help)->type_name(kind)->transform(without_mark);
}

void Arguments::option(const std::string& names, std::int64_t& value, const std::string& kind,
                       const std::string& help) {
  app_.add_option(names, value, help)->type_name(kind);
}

void Arguments::option(const std::string& names, std::optional<std::int64_t>& value, const std::string& kind,
                       const std::string& help) {
  app_.add_option(names, value, help)->type_name(kind);
}

void Arguments::option(const std::string& names, double& value, const std::string& kind, const std::string& help) {
  app_.add_option(names, value, help)->type_name(kind)->check(CLI::NonNegativeNumber.description(""));
}

void Arguments::repeated_option(const std::string& names, std::vector<std::string>& values, const std::string& kind,
                                const std::string& help) {
  app_.add_option(names, values, help)->type_name(kind)->allow_extra_args(false)->transform(without_mark);
}

}  // namespace cohort::cli
