// What a connection keeps between its requests: who was authenticated over it, and what seals its messages.
//
// Threads: one at a time, never that of the connections.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "http/authenticator.h"
#include "http/message.h"

namespace cohort::http {

class Session {
 public:
  // The authenticator outlives the session.
  Session(Authenticator& authenticator, Peer peer) : authenticator_(authenticator), peer_(std::move(peer)) {}

  // The next request, by its header: with Negotiate it may be one of several steps, and without Authorization it is
  // from who was negotiated with. Any other Authorization ends what was negotiated.
  [[nodiscard]] std::variant<Identity, Challenge> authenticate(std::string_view authorization);

  // Answers that request, once its body was read. A body that is sealed is opened, and its answer is sealed in the same
  // form. What has to be sealed and is not, or was sealed by somebody else, does not reach the handler: 403 and 400.
  [[nodiscard]] Response answer(Request request, const Identity& identity, Handler& handler);

 private:
  [[nodiscard]] std::variant<Identity, Challenge> step(std::string_view scheme, std::string_view token);
  [[nodiscard]] Response answer_message(Request request, const Identity& identity, Handler& handler);
  [[nodiscard]] Response answer_sealed(Request request, const Identity& identity, Handler& handler);
  [[nodiscard]] Result<SealedForm> open(Request& request);
  [[nodiscard]] Response seal(const SealedForm& form, Response response);

  Authenticator& authenticator_;
  const Peer peer_;
  std::unique_ptr<Negotiation> negotiation_;
  bool is_complete_ = false;    // the negotiation
  bool has_sealed_ = false;     // a message was sealed: all that follow are
  std::string last_challenge_;  // WWW-Authenticate of the step that completed it, for the answer
};

}  // namespace cohort::http
