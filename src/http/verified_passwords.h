// Passwords that were right a while ago: a hash that is slow on purpose is not made for each request.
//
// Threads: safe to call from several at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/identity.h"

namespace cohort::http {

// Keeps no password, but a keyed hash (HMAC-SHA-256) of name and password whose key goes with the object.
class VerifiedPasswords {
 public:
  VerifiedPasswords(const Clock& clock, std::chrono::seconds lifetime, std::size_t limit = 1'000);

  [[nodiscard]] std::optional<Role> role_of(std::string_view name, std::string_view password) const;
  void remember(std::string_view name, std::string_view password, Role role);

 private:
  struct Verified {
    Role role;
    SteadyTime until;
  };

  [[nodiscard]] std::string digest(std::string_view name, std::string_view password) const;

  const Clock& clock_;
  const std::chrono::seconds lifetime_;
  const std::size_t limit_;
  std::string key_;
  mutable std::mutex mutex_;
  std::map<std::string, Verified> verified_;  // by digest
};

}  // namespace cohort::http
