// Runs another program and waits for it.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cohort {

struct ProcessOutput {
  int exit_status = 0;  // 128 + signal number when a signal ended it
  std::string out;      // both cut after 1 MiB
  std::string err;
};

// Runs argv[0] (looked up in PATH) with these arguments, no shell, standard input from /dev/null,
// LC_ALL=C. It is killed when this process dies (PR_SET_PDEATHSIG) and when `stop` is requested, which
// then fails with kCancelled. `on_output` sees standard output as it comes, in pieces.
// A program that cannot be started fails with kUnsupported; an exit status other than 0 is no failure here.
//
// Threads: blocks; any number at once. The calling thread must outlive the child (PDEATHSIG follows the thread).
[[nodiscard]] Result<ProcessOutput> run_process(const std::vector<std::string>& argv, std::stop_token stop = {},
                                                const std::function<void(std::string_view)>& on_output = {});

}  // namespace cohort
