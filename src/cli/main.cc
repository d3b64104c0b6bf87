// The program `cohort`: the only place of this folder that constructs what the rest works with.
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <thread>

#include "base/user_name.h"
#include "cli/relay.h"
#include "cli/run.h"
#include "cli/stop_signals.h"

namespace {

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that went away must not end a job half way; the failed write is reported instead.
  std::signal(SIGPIPE, SIG_IGN);
  cohort::cli::Cancellation cancellation;
  cohort::cli::Relay relay;
  const cohort::cli::StopSignals signals([&] { return relay.interrupt() || cancellation.interrupt(); });
  const cohort::SystemClock clock;
  const cohort::cli::Console console{std::cout, std::cerr, isatty(STDERR_FILENO) == 1, terminal_width()};
  cohort::cli::Surroundings surroundings{
      console,
      cohort::client::open_local_session,
      cancellation,
      clock,
      [](cohort::Milliseconds time) { std::this_thread::sleep_for(time); },
      [&](const auto& options, const auto& arguments) { return relay.carry_out(options, arguments, console); },
      cohort::user_name(::geteuid())};
  return cohort::cli::run({argv + 1, argv + argc}, surroundings);
}
