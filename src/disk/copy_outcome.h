// How a copy on several threads ends.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace cohort::disk {

// The first thing that went wrong in any thread; the others are told to stop.
class CopyOutcome {
 public:
  explicit CopyOutcome(const std::stop_token& outer) : forward_(outer, Forward{stop_}) {}
  [[nodiscard]] std::stop_token stop() const { return stop_.get_token(); }
  void fail(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_ && !stop_.stop_requested()) error_ = std::move(error);
    stop_.request_stop();
  }
  // REQUIRES: no thread calls fail() any more.
  [[nodiscard]] Result<void> result(const Path& target) {
    if (error_) return Failure{*std::move(error_)};
    if (!stop_.stop_requested()) return {};
    return ::cohort::fail(ErrorCode::kCancelled, "Cancelled while copying to \"{}\".", target.string());
  }

 private:
  struct Forward {
    std::stop_source& stop;
    void operator()() const { stop.request_stop(); }
  };
  std::stop_source stop_;
  std::stop_callback<Forward> forward_;
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace cohort::disk
