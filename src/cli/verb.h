// A verb of the command line: its arguments, its manual and what it does stand in one file.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/arguments/arguments.h"
#include "cli/context.h"
#include "cli/outcome.h"

namespace cohort::cli {

struct Example {
  std::string command;
  std::string effect;  // a sentence
};

// Help and manual pages are made from it. ASCII only.
struct Manual {
  std::string name;         // the word on the command line; empty for the program itself
  std::string summary;      // one line without a full stop
  std::string description;  // paragraphs, separated by empty lines
  std::vector<Example> examples;
  bool is_hidden = false;  // has no place in lists and pages
};

class Verb {
 public:
  virtual ~Verb() = default;
  [[nodiscard]] virtual Manual manual() const = 0;
  // Adds arguments that are stored into this object.
  virtual void declare(Arguments& arguments) = 0;
  // False for verbs that answer without looking at any state.
  [[nodiscard]] virtual bool needs_state() const { return true; }
  // REQUIRES: the command line was parsed and chose this verb.
  [[nodiscard]] virtual Result<Outcome> run(Context& context) = 0;
};

}  // namespace cohort::cli
