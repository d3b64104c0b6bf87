// Who may do what: the role of a user for all collections, and what the configuration grants for single ones.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/identity.h"
#include "provider/caller.h"

namespace cohort::daemon {

// "USER:ROLE:COLLECTION" in the configuration.
struct Grant {
  std::string user;
  provider::CollectionRight right;
};
// Fails with kInvalidArgument.
[[nodiscard]] Result<Grant> parse_grant(std::string_view text);

// Threads: safe to call from several at once.
class Rights {
 public:
  Rights() = default;
  explicit Rights(std::vector<Grant> grants) : grants_(std::move(grants)) {}

  void replace(std::vector<Grant> grants);
  [[nodiscard]] provider::Caller caller(const http::Identity& identity) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Grant> grants_;
};

}  // namespace cohort::daemon
