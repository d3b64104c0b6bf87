// What a verb has to say when it is done.
#pragma once

#include <string>
#include <utility>

#include "cli/exit_code.h"
#include "cli/output/json.h"

namespace cohort::cli {

struct Outcome {
  Json document;           // printed with --json; always an object
  std::string text;        // printed otherwise; ends with a newline, or is empty
  bool is_notice = false;  // the text only says that something was done: --quiet leaves it out
  int exit_code = kExitDone;
};

// The answer to a question.
[[nodiscard]] inline Outcome answer(Json document, std::string text) {
  return Outcome{std::move(document), std::move(text), false, kExitDone};
}
// A change that was made.
[[nodiscard]] inline Outcome notice(Json document, std::string text) {
  return Outcome{std::move(document), std::move(text), true, kExitDone};
}
// What --dry-run says.
[[nodiscard]] inline Outcome planned(Json plan, std::string text) {
  return answer(Json{{"dry_run", true}, {"plan", std::move(plan)}}, std::move(text));
}

}  // namespace cohort::cli
