#include <iostream>

#include "daemon/command_line.h"

int main(int argc, char** argv) {
  return cohort::daemon::run({argv + 1, argv + argc}, {std::cin, std::cout, std::cerr});
}
