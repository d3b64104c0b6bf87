// One run of the program, from its arguments to its exit status.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace cohort::cli {

// `arguments` without the program's name. Returns the exit status (exit_code.h). Never throws.
[[nodiscard]] int run(const std::vector<std::string>& arguments, Surroundings& surroundings);

}  // namespace cohort::cli
