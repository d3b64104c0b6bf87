// A request as the handler gets it, and its answer (RFC 9110, RFC 9112).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/identity.h"

namespace cohort::http {

struct Peer {
  std::string address;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
  bool is_encrypted = false;
  // Others on the way can read and change what is not sealed, and nobody has said that they may: no password is taken,
  // and no message in the clear.
  bool is_exposed = false;
  std::vector<std::string> certificate_names = {};  // of the certificate that the client has shown; see client_names.h
  std::string channel_binding = {};                 // of TLS, RFC 5929 4.1: "tls-server-end-point:…"; empty without
};

struct Header {
  std::string name, value;
};

struct Request {
  std::string method;  // "POST"
  std::string target;  // "/wsman", as sent
  std::vector<Header> headers;
  std::string body;
  Peer peer;

  // The value of the first header of that name, in whatever case; empty if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// The next piece of a body that is made while it is sent; nothing after the last.
using Chunks = std::function<std::optional<std::string>()>;

struct Response {
  int status = 200;
  std::vector<Header> headers;  // but those that say how the body is sent
  std::variant<std::string, Chunks> body;
};

// What answers requests that were authenticated.
//
// Threads: called from several at once; may take its time.
class Handler {
 public:
  virtual ~Handler() = default;
  [[nodiscard]] virtual Response handle(const Request& request, const Identity& identity) = 0;
};

}  // namespace cohort::http
