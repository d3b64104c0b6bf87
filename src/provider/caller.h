// Who asks, and what they may.
#pragma once

#include <string>

namespace cohort::provider {

// Each may do what those before it may.
enum class Right {
  kLook,        // read objects and classes, follow jobs
  kOperate,     // take, export, convert, start and stop machines, cancel jobs
  kAdminister,  // delete, apply, define, change members and settings
};

struct Caller {
  std::string name;  // for jobs' owners and the audit log
  Right right = Right::kLook;

  [[nodiscard]] bool may(Right wanted) const { return right >= wanted; }
};

}  // namespace cohort::provider
