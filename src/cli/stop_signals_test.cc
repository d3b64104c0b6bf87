#include "cli/stop_signals.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>

namespace cohort::cli {
namespace {

// Runs `child` in a process of its own, so that no signal meets the test program; what waitpid says.
template <typename Work>
int status_of(const Work& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(42);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

void wait_until(const std::atomic<int>& count, int wanted) {
  for (int i = 0; i < 1000 && count < wanted; ++i) {
    usleep(5000);
  }
}

TEST(StopSignals, EachSignalIsHandedOnAndTheProgramGoesOn) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const int status = status_of([signal] {
      std::atomic<int> seen = 0;
      const StopSignals signals([&seen] {
        ++seen;
        return true;
      });
      kill(getpid(), signal);
      wait_until(seen, 1);
      kill(getpid(), signal);
      wait_until(seen, 2);
      _exit(seen == 2 ? 7 : 8);
    });
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << signal;
  }
}

TEST(StopSignals, SignalThatNobodyWantsEndsTheProgramAsUsual) {
  const int status = status_of([] {
    const StopSignals signals([] { return false; });
    kill(getpid(), SIGTERM);
    sleep(10);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

TEST(StopSignals, SignalThatWasIgnoredFromTheStartStaysIgnored) {
  const int status = status_of([] {
    signal(SIGHUP, SIG_IGN);  // as nohup does
    std::atomic<int> seen = 0;
    const StopSignals signals([&seen] {
      ++seen;
      return false;
    });
    kill(getpid(), SIGHUP);
    usleep(100'000);
    _exit(seen == 0 ? 7 : 8);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

TEST(StopSignals, EndsWithoutASignal) {
  const int status = status_of([] { const StopSignals signals([] { return true; }); });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

}  // namespace
}  // namespace cohort::cli
