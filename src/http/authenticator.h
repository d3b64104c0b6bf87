// Tells who a request is from: by its header Authorization, or by what was negotiated over its connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "http/identity.h"
#include "http/message.h"
#include "http/sealed_multipart.h"

namespace cohort::http {

// What the client can authenticate with: the values of WWW-Authenticate.
struct Challenge {
  std::vector<std::string> schemes;
  bool ends_connection = false;
};

// What a client negotiates over one connection, step by step, and what seals its messages afterwards.
//
// Threads: one at a time; each call may take its time.
class Negotiation {
 public:
  virtual ~Negotiation() = default;

  struct Step {
    std::string token;  // for the client; may be empty
    bool is_complete = false;
  };
  // The client's next token; nothing if it is refused. Then, and once it was complete, it is not called again.
  [[nodiscard]] virtual std::optional<Step> accept(std::string_view token) = 0;

  // REQUIRES for the rest: accept() is complete.
  // Who it is, as long as that counts: a ticket expires, a user is removed.
  [[nodiscard]] virtual std::optional<Identity> identity() = 0;
  // As SecurityContext does.
  [[nodiscard]] virtual Result<std::string> unseal(std::string_view token) = 0;
  [[nodiscard]] virtual Result<Sealed> seal(std::string_view text) = 0;

 protected:
  [[nodiscard]] static Identity identify(std::string name, Role role) { return {std::move(name), role}; }
};

// Threads: called from several at once; may take its time.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // `authorization` is empty if there is no such header.
  [[nodiscard]] virtual std::variant<Identity, Challenge> authenticate(std::string_view authorization,
                                                                       const Peer& peer) = 0;
  // For a client that begins to negotiate; null where that is not offered.
  [[nodiscard]] virtual std::unique_ptr<Negotiation> negotiate(const Peer& /*peer*/) { return nullptr; }

 protected:
  [[nodiscard]] static Identity identify(std::string name, Role role) { return {std::move(name), role}; }
};

}  // namespace cohort::http
