#include "cli/run.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "cli/arguments/arguments.h"
#include "cli/command_tree.h"
#include "cli/output/json.h"
#include "cli/output/report.h"

namespace cohort::cli {

namespace {

// CLI11's words are a phrase; the operator gets a sentence and the next step.
Failure usage_error(const CLI::ParseError& error, const CommandTree& tree) {
  const auto unread = tree.root().remaining(true);
  if (tree.chosen_verb() == nullptr && !unread.empty()) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is no command or option of {}. See: {} --help",
                without_mark(unread.front()), command_path(tree.chosen()), command_path(tree.chosen()));
  }
  const std::string phrase = error.what();
  return fail(ErrorCode::kInvalidArgument, "{}{} See: {} --help", phrase,
              phrase.empty() || phrase.back() == '.' ? "" : ".", command_path(tree.chosen()));
}

// Parses; an outcome if that is all there is to do (help, version).
Result<std::optional<Outcome>> parse(CommandTree& tree, const std::vector<std::string>& arguments) {
  try {
    auto words = mark_plain_words(arguments);
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    tree.root().parse(std::move(words));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    const CLI::App& app = tree.chosen();
    const CLI::App* parent = app.get_parent();
    const std::string help = app.help(parent == nullptr ? "" : command_path(*parent));
    return answer(Json{{"help", help}}, help);
  } catch (const CLI::CallForVersion&) {
    return answer(Json{{"version", COHORT_VERSION}}, "cohort " COHORT_VERSION "\n");
  } catch (const CLI::ParseError& error) {
    return usage_error(error, tree);
  }
}

// After parse(): nothing but the verb is left to do.
Result<Outcome> perform(const CommandTree& tree, Context& context) {
  Verb* verb = tree.chosen_verb();
  return verb == nullptr ? fail(ErrorCode::kInternal, "The command has no verb.") : verb->run(context);
}

bool needs_state(const CommandTree& tree) {
  const Verb* verb = tree.chosen_verb();
  return verb != nullptr && verb->needs_state();
}

// The option may not have been read when the arguments are wrong.
bool asks_for_json(const std::vector<std::string>& arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::find(arguments.begin(), end, "--json") != end;
}

bool is_empty(const client::RecoveryReport& report) { return report.actions.empty() && report.failures.empty(); }

void print_json(const Result<Outcome>& result, const client::RecoveryReport& recovery, std::ostream& out) {
  Json document = result ? result->document : Json{{"error", to_json(result.error())}};
  if (!is_empty(recovery)) {
    document["recovery"] = to_json(recovery);
  }
  out << to_text(document);
}

void print_text(const Result<Outcome>& result, const client::RecoveryReport& recovery, const GlobalOptions& options,
                const Console& console) {
  console.err << report_recovery(recovery);
  if (!result) {
    console.err << report_error(result.error(), options.verbose ? Detail::kFull : Detail::kUsual);
  } else if (!result->is_notice || !options.quiet) {
    console.out << result->text;
  }
}

int status_of(const Result<Outcome>& result) { return result ? result->exit_code : exit_code(result.error().code); }

int run_unguarded(const std::vector<std::string>& arguments, Surroundings& surroundings) {
  CommandTree tree;
  Context context(surroundings, tree.options());
  auto parsed = parse(tree, arguments);
  const bool is_for_verb = parsed && !*parsed;
  if (is_for_verb && surroundings.carry_out_elsewhere && needs_state(tree)) {
    const auto status = surroundings.carry_out_elsewhere(context.session_options(), arguments);
    if (status) return *status;
  }
  const auto result = is_for_verb
                          ? perform(tree, context)
                          : std::move(parsed).map([](std::optional<Outcome>&& said) { return *std::move(said); });
  const Console& console = surroundings.console;
  if (asks_for_json(arguments) || tree.options().json) {
    print_json(result, context.recovery(), console.out);
  } else {
    print_text(result, context.recovery(), tree.options(), console);
  }
  console.out.flush();
  if (!console.out) {
    console.err << "cohort: The output could not be written.\n";
    return exit_code(ErrorCode::kIo);
  }
  return status_of(result);
}

}  // namespace

int run(const std::vector<std::string>& arguments, Surroundings& surroundings) {
  try {
    return run_unguarded(arguments, surroundings);
  } catch (const std::exception& error) {
    surroundings.console.err << "cohort: This is a defect of the program: " << error.what() << "\n";
    return exit_code(ErrorCode::kInternal);
  }
}

}  // namespace cohort::cli
