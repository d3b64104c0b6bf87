// Tells who a request is from by its header Authorization.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/identity.h"
#include "http/message.h"

namespace cohort::http {

// What the client can authenticate with: the values of WWW-Authenticate.
struct Challenge {
  std::vector<std::string> schemes;
};

// Threads: called from several at once; may take its time.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // `authorization` is empty if there is no such header.
  [[nodiscard]] virtual std::variant<Identity, Challenge> authenticate(std::string_view authorization,
                                                                       const Peer& peer) = 0;

 protected:
  [[nodiscard]] static Identity identify(std::string name, Role role) { return {std::move(name), role}; }
};

}  // namespace cohort::http
