#include "base/kill_point.h"

#ifdef COHORT_KILL_POINTS

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace cohort {
namespace {

constexpr std::chrono::milliseconds kTimeToHear{300};

bool is_named(const char* variable, std::string_view name) {
  const char* value = std::getenv(variable);
  return value != nullptr && name == value;
}

// Passes that are let through before a kill, over all points: only the named one counts.
bool is_skipped() {
  static const char* const text = std::getenv("COHORT_KILL_SKIP");
  static std::atomic<long> left{text == nullptr ? 0 : std::strtol(text, nullptr, 10)};
  return left.fetch_sub(1) > 0;
}

// A place that is passed often, or by several threads, stops the process once.
bool is_first_stop() {
  static std::atomic<bool> has_stopped{false};
  return !has_stopped.exchange(true);
}

}  // namespace

void kill_point(const char* name) {
  if (is_named("COHORT_KILL_AT", name) && !is_skipped()) {
    ::kill(::getpid(), SIGKILL);
  }
  if (is_named("COHORT_STOP_AT", name) && is_first_stop()) {
    ::kill(::getpid(), SIGSTOP);
    // What it was asked meanwhile, by a signal or in the store, is heard before it goes on.
    std::this_thread::sleep_for(kTimeToHear);
  }
  if (is_named("COHORT_HANG_AT", name)) {
    std::this_thread::sleep_for(std::chrono::minutes(1));
  }
}

}  // namespace cohort

#endif
