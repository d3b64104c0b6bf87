// The program's arguments.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace cohort::daemon {

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

// Runs the program. The exit status is that of cli/exit_code.h.
[[nodiscard]] int run(const std::vector<std::string>& arguments, const Streams& streams);

}  // namespace cohort::daemon
