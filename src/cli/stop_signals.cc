#include "cli/stop_signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace cohort::cli {

namespace {

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(signal)) {
      sigaddset(&set, signal);
    }
  }
  return set;
}

// Ends the program the way the signal does by default, so that the shell sees what happened.
void die_of(int signal) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  kill(getpid(), signal);
}

}  // namespace

StopSignals::StopSignals(std::function<bool()> on_signal) : on_signal_(std::move(on_signal)) {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_.reset(signalfd(-1, &set, SFD_CLOEXEC));
  wake_.reset(eventfd(0, EFD_CLOEXEC));
  thread_ = std::jthread([this](std::stop_token stop) { listen(std::move(stop)); });
}

StopSignals::~StopSignals() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  // Cannot fail with an eventfd that nobody else writes to.
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

void StopSignals::listen(std::stop_token stop) const {
  while (!stop.stop_requested()) {
    std::array<pollfd, 2> fds{{{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) <= 0 || (fds[0].revents & POLLIN) == 0) {
      continue;
    }
    signalfd_siginfo info{};
    if (read(signals_.get(), &info, sizeof info) == sizeof info && !on_signal_()) {
      die_of(static_cast<int>(info.ssi_signo));
    }
  }
}

}  // namespace cohort::cli
