// Lets clients negotiate who they are: bounds the steps and the time of it, and makes who guesses passwords wait.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/authenticator.h"
#include "http/lockout.h"
#include "http/security_context.h"

namespace cohort::http {

// Threads: safe to call from several at once; each negotiation by one at a time.
class Negotiator {
 public:
  struct Limits {
    unsigned steps = 6;             // NTLM takes two, three within SPNEGO
    std::chrono::seconds time{30};  // from the first to the last
  };
  // What the negotiator asks of its owner.
  struct Owner {
    // The role of who was authenticated; nothing if it is no user.
    std::function<std::optional<Role>(std::string_view name)> role_of;
    // `name` is empty if it is not known.
    std::function<void(const Peer& peer, std::string_view name, const std::string& why)> on_refused;
  };

  Negotiator(std::unique_ptr<SecurityProvider> provider, Owner owner, const Clock& clock, Lockout::Limits lockout,
             Limits limits);

  [[nodiscard]] std::unique_ptr<Negotiation> begin(const Peer& peer);
  [[nodiscard]] const std::vector<std::string>& schemes() const { return provider_->schemes(); }

 private:
  class Ongoing;

  const std::unique_ptr<SecurityProvider> provider_;
  const Owner owner_;
  const Clock& clock_;
  const Limits limits_;
  Lockout lockout_;
};

}  // namespace cohort::http
