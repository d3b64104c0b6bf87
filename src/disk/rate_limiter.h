// How many bytes per second may be moved, by all who share the limiter together.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace cohort::disk {

// Threads: any number at once.
class RateLimiter {
 public:
  // 0: no limit.
  explicit RateLimiter(std::uint64_t bytes_per_second = 0);

  // Holds from now on, for those who wait as well.
  void set_rate(std::uint64_t bytes_per_second);
  [[nodiscard]] std::uint64_t rate() const;

  // Returns when the caller may move so many bytes; false if `stop` was requested before. More than a second's worth
  // may be asked for at once: those who come after wait for it.
  [[nodiscard]] bool acquire(std::uint64_t bytes, const std::stop_token& stop);

 private:
  using Clock = std::chrono::steady_clock;
  void refill(Clock::time_point now);

  mutable std::mutex mutex_;
  std::condition_variable_any rate_changed_;
  double rate_;         // bytes per second
  double balance_ = 0;  // bytes; below 0 until what was moved has been waited for
  Clock::time_point refilled_ = Clock::now();
  std::uint64_t changes_ = 0;
};

}  // namespace cohort::disk
