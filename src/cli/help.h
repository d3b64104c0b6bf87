// How --help looks.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "cli/verb.h"

namespace cohort::cli {

// CLI11's layout without its type and "REQUIRED" tags.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter();
  [[nodiscard]] std::string make_option_opts(const CLI::Option* option) const override;
  [[nodiscard]] std::string make_usage(const CLI::App* app, std::string name) const override;
};

// What stands below the options: the description and the examples.
[[nodiscard]] std::string help_footer(const Manual& manual);

// "NAME [MACHINE...]": the positionals, as the usage line and the manual show them.
[[nodiscard]] std::string positionals_of(const CLI::App& app);
// The options of a command; positionals are left out, and so is --help, which every command has, but for the program.
[[nodiscard]] std::vector<const CLI::Option*> options_of(const CLI::App& app);

}  // namespace cohort::cli
