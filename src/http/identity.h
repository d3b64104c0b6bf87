// Who a request is from. Only authentication makes one: what needs an Identity cannot be reached without.
#pragma once

#include <string>
#include <utility>

namespace cohort::http {

// Each may do what those before it may.
enum class Role {
  kNone,           // what is granted for single things alone
  kReader,         // look
  kOperator,       // take, export, clean up, start, stop
  kAdministrator,  // apply, define and destroy, import
};

class Identity {
 public:
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] bool may_act_as(Role role) const { return role_ >= role; }

 private:
  friend class Authenticator;
  friend class Negotiation;
  Identity(std::string name, Role role) : name_(std::move(name)), role_(role) {}

  std::string name_;
  Role role_;
};

}  // namespace cohort::http
