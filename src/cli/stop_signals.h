// Signals that ask the program to stop (SIGINT, SIGTERM, SIGHUP), taken by a thread instead of a handler.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

#include "base/unique_fd.h"

namespace cohort::cli {

// From its construction the signals are blocked in the calling thread and in all that it starts later. Signals that
// were ignored when the program started (nohup) stay so.
//
// Threads: construct it before any other thread starts.
class StopSignals {
 public:
  // `on_signal` is called from the thread; if it returns false, the signal ends the program as it would have without.
  explicit StopSignals(std::function<bool()> on_signal);
  // Signals stay blocked.
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  void listen(std::stop_token stop) const;

  std::function<bool()> on_signal_;
  UniqueFd signals_;
  UniqueFd wake_;  // an eventfd: ends the thread
  std::jthread thread_;
};

}  // namespace cohort::cli
