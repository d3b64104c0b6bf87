// The server's end of a security context: what authenticates a connection in several steps, and seals messages after.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "http/sealed_multipart.h"

namespace cohort::http {

// Threads: one at a time; each call may take its time.
class SecurityContext {
 public:
  virtual ~SecurityContext() = default;

  struct Step {
    std::string token;  // for the client; may be empty
    bool is_complete = false;
  };
  // Takes the client's next token. Fails with kPermission; the context is of no use then.
  [[nodiscard]] virtual Result<Step> accept(std::string_view token) = 0;

  // REQUIRES for the rest: accept() is complete.
  // Who the client is: "ann@EXAMPLE.ORG" (Kerberos), "EXAMPLE\ann" (NTLM).
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual bool has_expired() const = 0;
  // Fails with kPermission for what was changed on the way, came before, or is only signed.
  [[nodiscard]] virtual Result<std::string> unseal(std::string_view token) = 0;
  [[nodiscard]] virtual Result<Sealed> seal(std::string_view text) = 0;
};

// Makes contexts.
//
// Threads: called from several at once.
class SecurityProvider {
 public:
  virtual ~SecurityProvider() = default;
  [[nodiscard]] virtual std::unique_ptr<SecurityContext> begin(const Peer& peer) = 0;
  // What it is called in WWW-Authenticate: "Negotiate", "Kerberos".
  [[nodiscard]] virtual const std::vector<std::string>& schemes() const = 0;
};

}  // namespace cohort::http
