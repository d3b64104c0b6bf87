// Who guesses passwords has to wait.
//
// Threads: safe to call from several at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace cohort::http {

class Lockout {
 public:
  struct Limits {
    unsigned failures = 5;              // so many are free
    std::chrono::seconds duration{60};  // from the last failure; a failure is forgotten after it, too
    std::size_t remembered = 10'000;    // the oldest are forgotten first
  };

  Lockout(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

  // `who` is the address and the name that was tried: nobody can lock out somebody else.
  [[nodiscard]] bool is_locked(const std::string& who) const;
  void failed(const std::string& who);
  void succeeded(const std::string& who);

 private:
  struct Failures {
    unsigned count = 0;
    SteadyTime last;
  };

  void forget_oldest();

  const Clock& clock_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, Failures> failures_;
};

}  // namespace cohort::http
