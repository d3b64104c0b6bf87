// CIM's datetime: a point in time or a length of time, in its 25 characters (DSP0004 5.2.4).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cohort::cim {

class Datetime {
 public:
  // "yyyymmddhhmmss.mmmmmmsutc" or "ddddddddhhmmss.mmmmmm:000". Digits at the end that are not known may be asterisks,
  // whole fields at a time, but for microseconds, of which any number may be unknown.
  // Fails with kInvalidArgument.
  [[nodiscard]] static Result<Datetime> parse(std::string_view text);
  // A point in time as a clock shows it that is `offset` ahead of UTC. Years 0 to 9999; others become the nearest.
  [[nodiscard]] static Datetime at(std::chrono::sys_time<std::chrono::microseconds> time,
                                   std::chrono::minutes offset = {});
  // A length of time; negative ones become zero, those of more than 99999999 days become that.
  [[nodiscard]] static Datetime interval(std::chrono::microseconds length);

  [[nodiscard]] bool is_interval() const { return is_interval_; }
  // Since 1970-01-01 UTC, or the length. What is not known counts as its smallest value.
  [[nodiscard]] std::chrono::microseconds count() const { return count_; }
  // The offset that a point in time was written with.
  [[nodiscard]] std::chrono::minutes offset() const { return offset_; }
  [[nodiscard]] const std::string& text() const { return text_; }

  // Points in time are the same when they are the same instant, in whatever time zone.
  friend bool operator==(const Datetime& a, const Datetime& b) {
    return a.is_interval_ == b.is_interval_ && a.count_ == b.count_ && a.known_ == b.known_;
  }

 private:
  Datetime() = default;

  std::string text_;
  std::chrono::microseconds count_{};
  std::chrono::minutes offset_{};
  std::size_t known_ = 0;  // the digits before the first asterisk
  bool is_interval_ = false;
};

}  // namespace cohort::cim
