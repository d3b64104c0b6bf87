#include "cli/output/rate_meter.h"

namespace cohort::cli {

namespace {

constexpr std::chrono::seconds kWindow{10};
constexpr std::chrono::milliseconds kLeast{500};

}  // namespace

void RateMeter::add(SteadyTime now, std::uint64_t done) {
  if (!samples_.empty() && done < samples_.back().done) {
    samples_.clear();
  }
  samples_.push_back({now, done});
  while (samples_.size() > 2 && now - samples_[1].time >= kWindow) {
    samples_.pop_front();
  }
}

std::optional<std::uint64_t> RateMeter::rate() const {
  if (samples_.empty()) {
    return std::nullopt;
  }
  const auto time = samples_.back().time - samples_.front().time;
  if (time < kLeast) {
    return std::nullopt;
  }
  const auto bytes = static_cast<double>(samples_.back().done - samples_.front().done);
  return static_cast<std::uint64_t>(bytes / std::chrono::duration<double>(time).count());
}

std::optional<std::chrono::seconds> RateMeter::time_left(std::uint64_t total) const {
  const auto speed = rate();
  if (!speed || *speed == 0 || total < samples_.back().done) {
    return std::nullopt;
  }
  return std::chrono::seconds((total - samples_.back().done + *speed - 1) / *speed);
}

}  // namespace cohort::cli
