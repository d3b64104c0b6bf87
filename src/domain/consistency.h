// What the disks of a member are like at the instant.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace cohort {

enum class Consistency {
  kOff,          // the machine was off: its disks are as it left them
  kCrash,        // as after a power failure
  kFileSystem,   // the guest's agent had frozen its file systems
  kApplication,  // and the guest's own freeze hook, or on Windows VSS, took part in it and reported no failure
};
[[nodiscard]] std::string_view to_string(Consistency level);  // "off", "crash", "file-system", "application"
[[nodiscard]] Result<Consistency> consistency_from(std::string_view name);

// What whoever takes a snapshot asks for.
enum class ConsistencyWish {
  kCrash,        // no guest is asked for anything
  kBest,         // each running guest is frozen where that works
  kApplication,  // each running guest is frozen, or there is no snapshot
};
[[nodiscard]] std::string_view to_string(ConsistencyWish wish);  // "crash", "best", "application"
[[nodiscard]] Result<ConsistencyWish> consistency_wish_from(std::string_view name);

// What a member has reached. Before the instant: what it is expected to reach.
struct MemberConsistency {
  Consistency level = Consistency::kCrash;
  // Sentences for the operator: why it is not more. Empty where no more was asked for.
  std::string reason;
  // Somebody else had frozen the file systems before: they were left so.
  bool frozen_by_others = false;
  // From the order to freeze to the answer that the file systems are thawed; of those that Cohort has frozen.
  std::optional<Microseconds> frozen;
  // Cohort has ordered the freeze, or is about to, and it is not known that all is thawed again.
  bool may_be_frozen = false;

  // Whether Cohort is to freeze the member for the instant.
  [[nodiscard]] bool needs_freeze() const { return level >= Consistency::kFileSystem && !frozen_by_others; }
};

}  // namespace cohort
