// Keeps systemd from starting the daemon anew, as long as it takes requests.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

namespace cohort::daemon {

// Threads: one.
class Watchdog {
 public:
  // Whether whoever takes requests does something within that time.
  using IsAlive = std::function<bool(std::chrono::milliseconds patience)>;

  // `wanted` is how often systemd wants to hear that the daemon is alive; nothing: it does not.
  Watchdog(std::optional<std::chrono::milliseconds> wanted, IsAlive is_alive);

  // Between two looks: half of what systemd wants, so that one may come late.
  [[nodiscard]] std::chrono::milliseconds interval() const { return interval_; }
  // Tells systemd that the daemon is alive, if it is. False if it is not, which is found out within half an interval.
  // Without a watchdog nothing is asked, and it counts as alive.
  [[nodiscard]] bool look() const;

 private:
  bool is_wanted_;
  std::chrono::milliseconds interval_;
  IsAlive is_alive_;
};

}  // namespace cohort::daemon
