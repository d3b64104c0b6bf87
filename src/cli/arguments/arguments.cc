#include "cli/arguments/arguments.h"

#include <CLI/CLI.hpp>

namespace cohort::cli {

void Arguments::required(const std::string& name, std::string& value, const std::string& help) {
  app_.add_option(name, value, help)->required();
}

void Arguments::optional(const std::string& name, std::string& value, const std::string& help) {
  app_.add_option(name, value, help);
}

void Arguments::required_many(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  app_.add_option(name, values, help)->required();
}

void Arguments::optional_many(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  app_.add_option(name, values, help);
}

void Arguments::flag(const std::string& names, bool& value, const std::string& help) {
  app_.add_flag(names, value, help);
}

void Arguments::option(const std::string& names, std::string& value, const std::string& kind, const std::string& help) {
  app_.add_option(names, value, help)->type_name(kind);
}

void Arguments::option(const std::string& names, std::int64_t& value, const std::string& kind,
                       const std::string& help) {
  app_.add_option(names, value, help)->type_name(kind);
}

void Arguments::option(const std::string& names, double& value, const std::string& kind, const std::string& help) {
  app_.add_option(names, value, help)->type_name(kind)->check(CLI::NonNegativeNumber);
}

void Arguments::repeated_option(const std::string& names, std::vector<std::string>& values, const std::string& kind,
                                const std::string& help) {
  app_.add_option(names, values, help)->type_name(kind)->allow_extra_args(false);
}

}  // namespace cohort::cli
