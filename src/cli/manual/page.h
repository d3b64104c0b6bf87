// Manual pages (roff, man macros) from the tree of commands.
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace cohort::cli {

// The page of the program, of a noun with all its verbs, or of a verb.
[[nodiscard]] std::string manual_page(const CommandTree& tree, const CLI::App& app);

}  // namespace cohort::cli
