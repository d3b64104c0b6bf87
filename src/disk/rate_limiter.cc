#include "disk/rate_limiter.h"

#include <algorithm>

namespace cohort::disk {
namespace {

// What may be caught up with after waking late, in seconds' worth of bytes.
constexpr double kBurst = 0.1;
// Longer sleeps are cut into several, so that a tiny rate makes no time that a clock cannot hold.
constexpr double kLongestWait = 3600;

}  // namespace

RateLimiter::RateLimiter(std::uint64_t bytes_per_second) : rate_(static_cast<double>(bytes_per_second)) {}

void RateLimiter::set_rate(std::uint64_t bytes_per_second) {
  {
    const std::lock_guard lock(mutex_);
    refill(Clock::now());
    rate_ = static_cast<double>(bytes_per_second);
    if (bytes_per_second == 0) balance_ = 0;
    ++changes_;
  }
  rate_changed_.notify_all();
}

std::uint64_t RateLimiter::rate() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(rate_);
}

void RateLimiter::refill(Clock::time_point now) {
  const std::chrono::duration<double> passed = now - refilled_;
  balance_ = std::min(balance_ + passed.count() * rate_, kBurst * rate_);
  refilled_ = now;
}

bool RateLimiter::acquire(std::uint64_t bytes, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = Clock::now();
    refill(now);
    if (rate_ == 0) return true;
    if (balance_ >= 0) {
      balance_ -= static_cast<double>(bytes);
      return true;
    }
    const std::chrono::duration<double> wait(std::min(-balance_ / rate_, kLongestWait));
    const auto until = now + std::chrono::ceil<Clock::duration>(wait);
    rate_changed_.wait_until(lock, stop, until, [&, seen = changes_] { return changes_ != seen; });
  }
  return false;
}

}  // namespace cohort::disk
