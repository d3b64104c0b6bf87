// Who asks, and what they may.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cohort::provider {

// Each may do what those before it may.
enum class Right {
  kNone,        // see the services and the host, and nothing that is in them
  kLook,        // read objects, follow jobs
  kOperate,     // take, export, convert and delete snapshots and reference points, start and stop machines, cancel jobs
  kAdminister,  // apply, define and destroy collections, change members and settings, import
};
[[nodiscard]] std::string_view role_of(Right right);  // "none", "reader", "operator", "administrator"

// A right for one collection, and for those in it.
struct CollectionRight {
  std::string collection;  // its name or UUID
  Right right = Right::kNone;
};

struct Caller {
  std::string name;                          // for jobs' owners and the audit log
  Right right = Right::kLook;                // for all collections
  std::vector<CollectionRight> rights = {};  // what is added for single ones

  // In all collections, and where there is none.
  [[nodiscard]] bool may(Right wanted) const { return right >= wanted; }
};

}  // namespace cohort::provider
