// What a process and its guard say to each other: lines over a socket.
//
//   process                               guard
//   uri qemu:///system
//   deadline 2000                         (milliseconds)
//   machine 4dea22b3-1d52-d8f3-2516-782e98ab3fa0
//   machine …
//   arm
//                                         ready           or: failed <code> <sentence>
//   raise                                 raised          (the deadline runs)
//   disarm                                clean           or: fired
//
// The end of the process's side means that it has died. A process that says disarm may end; until "raise" its end
// means nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

namespace cohort::hypervisor {

inline constexpr std::string_view kRaise = "raise";
inline constexpr std::string_view kDisarm = "disarm";
inline constexpr std::string_view kReady = "ready";
inline constexpr std::string_view kRaised = "raised";
inline constexpr std::string_view kClean = "clean";
inline constexpr std::string_view kFired = "fired";

struct GuardOrder {
  std::string uri;
  Milliseconds deadline{0};
  std::vector<MachineId> machines;
};

// The lines up to "arm".
[[nodiscard]] std::string format_order(const GuardOrder& order);

class GuardOrderReader {
 public:
  // True when the order is complete. Fails with kInvalidArgument for a line that has no place here.
  [[nodiscard]] Result<bool> take(std::string_view line);
  [[nodiscard]] const GuardOrder& order() const { return order_; }

 private:
  GuardOrder order_;
};

[[nodiscard]] std::string format_failure(const Error& error);
// The error in a "failed" line; kInternal for any other line.
[[nodiscard]] Error parse_failure(std::string_view line);

}  // namespace cohort::hypervisor
