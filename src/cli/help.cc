#include "cli/help.h"

#include <fmt/format.h>

#include "cli/output/printable.h"

namespace cohort::cli {

namespace {

constexpr std::size_t kHelpWidth = 100;

std::string usage_of(const CLI::Option& positional) {
  const std::string name = positional.get_name() + (positional.get_items_expected_max() > 1 ? "..." : "");
  return positional.get_required() ? name : "[" + name + "]";
}

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(32);
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  return option->get_positional() || option->get_type_size() == 0 ? std::string{} : " " + option->get_type_name();
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  const bool has_children = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
  const std::string positionals = positionals_of(*app);
  return fmt::format("\nUsage: {}{}{} [OPTIONS]\n", name, has_children ? " COMMAND" : "",
                     positionals.empty() ? "" : " " + positionals);
}

std::string help_footer(const Manual& manual) {
  std::string text = wrap(manual.description, kHelpWidth, 0);
  if (!manual.examples.empty()) {
    text += "\nExamples:\n";
  }
  for (const auto& example : manual.examples) {
    text += fmt::format("  {}\n{}", example.command, wrap(example.effect, kHelpWidth, 6));
  }
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

std::string positionals_of(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      text += (text.empty() ? "" : " ") + usage_of(*option);
    }
  }
  return text;
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  const bool is_program = app.get_parent() == nullptr;
  return app.get_options([is_program](const CLI::Option* option) {
    const bool is_told_above = !is_program && option->check_lname("help");
    return !option->get_positional() && !is_told_above && !option->get_group().empty();
  });
}

}  // namespace cohort::cli
