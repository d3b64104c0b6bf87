// The signals that the daemon is led by, taken one after the other instead of by a handler.
#pragma once

#include <chrono>
#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cohort::daemon {

enum class Order { kStop, kReload };

class Signals {
 public:
  // From here on SIGTERM, SIGINT (stop) and SIGHUP (reload) wait for next(), and SIGPIPE is ignored.
  //
  // Threads: call it before any other thread starts; they inherit what it does.
  [[nodiscard]] static Result<Signals> take();

  // The next order; nothing after `patience`.
  [[nodiscard]] std::optional<Order> next(std::chrono::milliseconds patience) const;

 private:
  explicit Signals(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace cohort::daemon
