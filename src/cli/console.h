// Where the program writes to.
#pragma once

#include <cstddef>
#include <ostream>

namespace cohort::cli {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal = false;
  std::size_t width = 80;  // of that terminal, in columns
};

}  // namespace cohort::cli
