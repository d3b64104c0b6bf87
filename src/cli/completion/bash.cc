// The script is a fixed part that walks the command line, and tables of what can stand where: functions that print a
// line for a command ("cohort export"), or for a command and an argument ("cohort export/0", "cohort export/--format").
#include "cli/completion/bash.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "cli/help.h"

namespace cohort::cli {

namespace {

constexpr std::string_view kWalk = R"bash(
# The words before the cursor decide: the command, how many arguments it has, and the options that names depend on.
_cohort_walk() {
  local word i
  path=cohort arguments=0 pending= globals=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == = ]]; then
      [[ -z $pending ]] && ((i++)) # the value of a flag that can have one
    elif [[ -n $pending ]]; then
      # bash splits words at colons: qemu:///system comes in three.
      while [[ ${COMP_WORDS[i + 1]} == : && $((i + 2)) -lt $COMP_CWORD ]]; do
        word+=:${COMP_WORDS[i + 2]}
        ((i += 2))
      done
      case $pending in --state | -c | --connect) globals+=("$pending" "$word") ;; esac
      pending=
    elif [[ $word == -* ]]; then
      [[ -n $(_cohort_value "$path/$word") ]] && pending=$word
    elif [[ " $(_cohort_commands "$path") " == *" $word "* ]]; then
      path+=" $word"
    else
      ((arguments++))
    fi
  done
}

# Names from the program itself; those that the shell would take apart are quoted.
_cohort_offer_names() {
  local name typed=${cur//\\/}
  typed=${typed#[\"\']}
  while IFS= read -r name; do
    [[ $name == "$typed"* ]] || continue
    case $cur in
      [\"\']*) COMPREPLY+=("$name") ;;
      *) COMPREPLY+=("$(printf %q "$name")") ;;
    esac
  done < <("${COMP_WORDS[0]}" "${globals[@]}" --quiet complete "$1" 2>/dev/null </dev/null)
}

_cohort_offer() {
  case $1 in
    COLLECTION | SNAPSHOT | MACHINE | MEMBER | JOB) _cohort_offer_names "$1" ;;
    DIR | NEW)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      ;;
    FORMAT) mapfile -t COMPREPLY < <(compgen -W 'qcow2 raw' -- "$cur") ;;
    NETWORK) mapfile -t COMPREPLY < <(compgen -W 'none isolated' -- "$cur") ;;
    CONSISTENCY) mapfile -t COMPREPLY < <(compgen -W 'crash best application' -- "$cur") ;;
    SHELL) mapfile -t COMPREPLY < <(compgen -W bash -- "$cur") ;;
  esac
}

_cohort() {
  local cur=${COMP_WORDS[COMP_CWORD]} path arguments pending globals
  COMPREPLY=()
  _cohort_walk
  [[ $cur == = ]] && cur=
  if [[ -n $pending ]]; then
    _cohort_offer "$(_cohort_value "$path/$pending")"
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_cohort_options "$path")" -- "$cur")
  elif [[ -n $(_cohort_commands "$path") ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_cohort_commands "$path")" -- "$cur")
  else
    _cohort_offer "$(_cohort_argument "$path" "$arguments")"
  fi
}

complete -F _cohort cohort
)bash";

struct Tables {
  std::string commands;
  std::string options;
  std::string values;
  std::string arguments;
};

std::string row(const std::string& pattern, const std::string& line) {
  return fmt::format("    {}) echo '{}' ;;\n", pattern, line);
}

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> words;
  for (const auto& name : option.get_lnames()) {
    words.push_back("--" + name);
  }
  for (const auto& name : option.get_snames()) {
    words.push_back("-" + name);
  }
  return words;
}

// Options of the program itself may stand after any command.
std::vector<const CLI::Option*> options_after(const CommandTree& tree, const CLI::App& app) {
  auto options = options_of(tree.root());
  if (&app != &tree.root()) {
    const auto own = options_of(app);
    options.insert(options.end(), own.begin(), own.end());
  }
  return options;
}

// What stands behind the option; nothing for a flag.
std::string value_row(const std::string& path, const std::string& word, const CLI::Option& option) {
  if (option.get_type_size() == 0) {
    return {};
  }
  return row(fmt::format("'{}/{}'", path, word), option.get_type_name());
}

void add_options(const CommandTree& tree, const CLI::App& app, Tables& tables) {
  const std::string path = command_path(app);
  std::string words;
  for (const CLI::Option* option : options_after(tree, app)) {
    for (const auto& word : spellings(*option)) {
      words += (words.empty() ? "" : " ") + word;
      tables.values += value_row(path, word, *option);
    }
  }
  tables.options += row("'" + path + "'", words);
}

void add_arguments(const CLI::App& app, Tables& tables) {
  const std::string path = command_path(app);
  std::size_t index = 0;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) {
      continue;
    }
    const bool is_many = option->get_items_expected_max() > 1;
    tables.arguments +=
        row(is_many ? fmt::format("'{}/'*", path) : fmt::format("'{}/{}'", path, index++), option->get_name());
  }
}

void add_command(const CommandTree& tree, const CLI::App& app, Tables& tables) {
  std::string names;
  for (const CLI::App* child : tree.children(app)) {
    names += (names.empty() ? "" : " ") + child->get_name();
    add_command(tree, *child, tables);
  }
  if (!names.empty()) {
    tables.commands += row("'" + command_path(app) + "'", names);
  }
  add_options(tree, app, tables);
  add_arguments(app, tables);
}

std::string function(std::string_view name, std::string_view subject, std::string_view rows) {
  return fmt::format("\n{}() {{\n  case {} in\n{}  esac\n}}\n", name, subject, rows);
}

}  // namespace

std::string bash_completion(const CommandTree& tree) {
  Tables tables;
  add_command(tree, tree.root(), tables);
  return "# Completion of cohort for bash. Made by: cohort completion bash\n" +
         function("_cohort_commands", "$1", tables.commands) + function("_cohort_options", "$1", tables.options) +
         function("_cohort_value", "$1", tables.values) + function("_cohort_argument", "$1/$2", tables.arguments) +
         std::string(kWalk);
}

}  // namespace cohort::cli
