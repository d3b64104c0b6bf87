#include "cli/manual/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/manual/roff.h"

namespace cohort::cli {

namespace {

std::string dashed(std::string path) {
  std::replace(path.begin(), path.end(), ' ', '-');
  return path;
}

std::string synopsis_of(const CommandTree& tree, const CLI::App& app) {
  const bool has_children = !tree.children(app).empty();
  const std::string positionals = positionals_of(app);
  return fmt::format(".B {}\n{}{}[OPTIONS]\n", roff_line(command_path(app)), has_children ? "COMMAND " : "",
                     positionals.empty() ? "" : roff_line(positionals) + " ");
}

std::string synopses_of(const CommandTree& tree, const CLI::App& app) {
  const bool is_noun = app.get_parent() != nullptr && !tree.children(app).empty();
  if (!is_noun) {
    return synopsis_of(tree, app);
  }
  std::string text;
  for (const CLI::App* verb : tree.children(app)) {
    text += (text.empty() ? "" : ".br\n") + synopsis_of(tree, *verb);
  }
  return text;
}

std::string term(const std::string& name, const std::string& value, const std::string& text) {
  return fmt::format(".TP\n.B {}{}\n{}", roff_line(name),
                     value.empty() ? "" : fmt::format(" \\fI{}\\fP", roff_line(value)), roff_paragraphs(text));
}

std::string names_of(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) {
    names += "-" + name + ", ";
  }
  for (const auto& name : option.get_lnames()) {
    names += "--" + name + ", ";
  }
  return names.substr(0, names.size() - 2);
}

std::string option_list(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : options_of(app)) {
    text +=
        term(names_of(*option), option->get_type_size() == 0 ? "" : option->get_type_name(), option->get_description());
  }
  return text;
}

std::string argument_list(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      text += term(option->get_name(), "", option->get_description());
    }
  }
  return text;
}

std::string example_list(const Manual& manual) {
  std::string text;
  for (const auto& example : manual.examples) {
    text += fmt::format(".TP\n.B {}\n{}", roff_line(example.command), roff_paragraphs(example.effect));
  }
  return text;
}

std::string section(std::string_view title, const std::string& text) {
  return text.empty() ? std::string{} : fmt::format(".SH {}\n{}", title, text);
}

// A verb within the page of its noun.
std::string verb_part(const CommandTree& tree, const CLI::App& verb) {
  const Manual& manual = tree.manual(verb);
  return fmt::format(".SS {} {}\n", roff_line(command_path(verb)), roff_line(positionals_of(verb))) +
         roff_paragraphs(manual.description) + argument_list(verb) + option_list(verb) + example_list(manual);
}

std::string commands_section(const CommandTree& tree, const CLI::App& app) {
  std::string text;
  const bool is_program = app.get_parent() == nullptr;
  for (const CLI::App* child : tree.children(app)) {
    text += is_program ? fmt::format(".TP\n.BR {} (1)\n{}", roff_line(dashed(command_path(*child))),
                                     roff_paragraphs(tree.manual(*child).summary + "."))
                       : verb_part(tree, *child);
  }
  return section("COMMANDS", text);
}

std::string exit_status_section() {
  std::string text = ".TP\n.B 0\nDone.\n";
  for (const auto& row : exit_codes()) {
    text +=
        term(std::to_string(row.exit_code), "", fmt::format("{} (\"{}\" in JSON)", row.meaning, to_string(row.code)));
  }
  return section("EXIT STATUS", text);
}

std::string interrupts_section() {
  return section(
      "INTERRUPTS",
      roff_paragraphs(
          "SIGINT (ctrl-C), SIGTERM and SIGHUP cancel the job that runs: what was begun is undone, then the program "
          "ends "
          "with status 130 (a try without an end of its own ends well). That can take a moment; a second signal does "
          "not speed it up, but says what is still going "
          "on. "
          "If the program is killed, the next command that changes something undoes first what was left open, and says "
          "so."));
}

std::string files_section() {
  return section("FILES",
                 term("/var/lib/cohort", "", "The state, for root: collections, snapshots and jobs.") +
                     term("~/.local/state/cohort", "", "The state for others, unless $XDG_STATE_HOME is set."));
}

std::string see_also(const CommandTree& tree, const CLI::App& app) {
  std::string text;
  if (app.get_parent() != nullptr) {
    text = ".BR cohort (1):\nglobal options, exit status\n";
  } else {
    for (const CLI::App* child : tree.children(app)) {
      text += fmt::format(".BR {} (1),\n", roff_line(dashed(command_path(*child))));
    }
    text += ".BR virsh (1)\n";
  }
  return section("SEE ALSO", text);
}

}  // namespace

std::string manual_page(const CommandTree& tree, const CLI::App& app) {
  const Manual& manual = tree.manual(app);
  const bool is_program = app.get_parent() == nullptr;
  std::string name = dashed(command_path(app));
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  std::string page = fmt::format(".TH {} 1 \"\" \"cohort {}\" \"Cohort Manual\"\n", roff_line(title), COHORT_VERSION);
  page += section("NAME", fmt::format("{} \\- {}\n", roff_line(name), roff_line(manual.summary)));
  page += section("SYNOPSIS", synopses_of(tree, app));
  page += section("DESCRIPTION", roff_paragraphs(manual.description));
  page += section("ARGUMENTS", argument_list(app));
  page += section(is_program ? "GLOBAL OPTIONS" : "OPTIONS", option_list(app));
  page += commands_section(tree, app);
  page += section("EXAMPLES", example_list(manual));
  if (is_program) {
    page += exit_status_section() + interrupts_section() + files_section();
  }
  return page + see_also(tree, app);
}

}  // namespace cohort::cli
