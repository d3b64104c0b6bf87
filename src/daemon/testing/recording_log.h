// A log that tests can look into.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "daemon/log.h"

namespace cohort::daemon {

class RecordingLog final : public Log {
 public:
  void write(Event event, std::string_view message, const Fields& fields = {}) override {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(log_line(event, message, fields));
  }

  // "notice changed: DefineCollection: returned 0 [user=ann …]", oldest first.
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace cohort::daemon
