// What a process and its guard say to each other: lines over a socket.
//
//   process                               guard
//   uri qemu:///system
//   deadline 2000                         (milliseconds)
//   machine 4dea22b3-1d52-d8f3-2516-782e98ab3fa0
//   machine …
//   saves_memory                          (only if the memory of the machines is saved meanwhile)
//   longest_freeze 12000                  (milliseconds; only if guests are to be frozen)
//   freezing 4dea22b3-1d52-d8f3-2516-782e98ab3fa0
//   freezing …
//   arm
//                                         ready           or: failed <code> <sentence>
//   freeze                                freezing        (the longest freeze runs; only if guests are to be frozen)
//   raise                                 raised          (the deadline runs)         or: fired
//   disarm                                clean           or: fired
//   thawed                                clean           (only after "freeze")       or: fired
//
// The end of the process's side means that it has died. After "disarm" no machine is resumed any more, after "thawed"
// none is thawed; a process that has said what it owes may end. Until "freeze" and "raise" its end means nothing.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "service/ports/guard.h"

namespace cohort::hypervisor {

inline constexpr std::string_view kSavesMemory = "saves_memory";
inline constexpr std::string_view kFreeze = "freeze";
inline constexpr std::string_view kFreezing = "freezing";
inline constexpr std::string_view kThawed = "thawed";
inline constexpr std::string_view kRaise = "raise";
inline constexpr std::string_view kDisarm = "disarm";
inline constexpr std::string_view kReady = "ready";
inline constexpr std::string_view kRaised = "raised";
inline constexpr std::string_view kClean = "clean";
inline constexpr std::string_view kFired = "fired";

struct GuardOrder {
  std::string uri;
  service::GuardedFence fence;
};

// The lines up to "arm".
[[nodiscard]] std::string format_order(const GuardOrder& order);

class GuardOrderReader {
 public:
  // True when the order is complete. Fails with kInvalidArgument for a line that has no place here.
  [[nodiscard]] Result<bool> take(std::string_view line);
  [[nodiscard]] const GuardOrder& order() const { return order_; }

 private:
  [[nodiscard]] bool is_complete() const;

  GuardOrder order_;
};

[[nodiscard]] std::string format_failure(const Error& error);
// The error in a "failed" line; kInternal for any other line.
[[nodiscard]] Error parse_failure(std::string_view line);

}  // namespace cohort::hypervisor
