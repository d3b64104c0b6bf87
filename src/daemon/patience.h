// Questions are waited for no longer than the one who asks has time. A hypervisor that hangs holds up its own question
// and not the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cim/operation.h"

namespace cohort::daemon {

// Threads: safe to call from several at once.
class Patience {
 public:
  // No further question is begun while `most_late` of those that were given up still run, or a quarter of that many of
  // the same caller's: one who does not wait for answers holds up nobody else.
  explicit Patience(std::size_t most_late) : most_late_(most_late) {}
  ~Patience();  // waits for those that were given up
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  // The answer, or nothing after `limit`: then `ask` goes on in a thread of its own, and its answer is thrown away.
  // kServerLimitsExceeded if too many do.
  [[nodiscard]] std::optional<cim::Response> answer(const std::string& caller, std::chrono::microseconds limit,
                                                    std::function<cim::Response()> ask);
  // How many were given up and still run.
  [[nodiscard]] std::size_t late();

 private:
  struct Question;

  [[nodiscard]] const char* reason_to_refuse(const std::string& caller);  // nullptr: there is none
  void forget_answered();

  const std::size_t most_late_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Question>> late_;
};

}  // namespace cohort::daemon
