// The completion script for bash, from the tree of commands.
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace cohort::cli {

[[nodiscard]] std::string bash_completion(const CommandTree& tree);

}  // namespace cohort::cli
