// Serves HTTP/1.1, plain or with TLS 1.2 and above, to clients that are strangers until they are authenticated.
//
// Of a request nothing but its header is read before the authenticator has said who it is from; without, the answer is
// 401 whatever was asked. A connection may be kept for further requests, each of which is authenticated.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/authenticator.h"
#include "http/certificate.h"
#include "http/message.h"

namespace cohort::http {

struct ServerLimits {
  // For more, the one that has been a stranger's for the longest is closed; if there is none, they are, at once.
  std::size_t connections = 2'000;
  std::size_t header_bytes = std::size_t{16} << 10U;
  std::size_t body_bytes = std::size_t{4} << 20U;
  std::size_t workers = 8;    // requests that are handled at a time
  std::size_t waiting = 256;  // for a worker; more are answered with 503
  std::chrono::seconds idle{120};
  std::chrono::seconds receiving{30};  // of a handshake, a header, a body
  std::chrono::seconds sending{60};    // of a reply or a chunk of one
};

// Where HTTP may be without TLS.
enum class PlainHttp {
  kLoopback,    // on loopback
  kSealed,      // elsewhere, too, if each message is sealed by what was negotiated
  kEverywhere,  // passwords and messages cross the network for everybody to read
};

// What certificates of clients are held against.
struct ClientCertificates {
  Path authorities;  // certificates, PEM
  Path revoked;      // revocation lists of theirs, PEM; empty: none is revoked
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any that is free
  // A descriptor of a socket that listens already; the server takes it over, and address and port are those of the
  // socket. Negative: none.
  int listener = -1;
  // Without, HTTP is plain.
  std::optional<CertificateFiles> certificate = {};
  // With TLS: a client may show a certificate instead of logging in.
  std::optional<ClientCertificates> clients = {};
  PlainHttp plain = PlainHttp::kLoopback;
  ServerLimits limits = {};
};

// Threads: one for all connections, and the workers, which call the authenticator and the handler. The functions may be
// called from any.
class Server {
 public:
  // Listens when it returns. Authenticator and handler outlive the server.
  // Fails with kInvalidArgument (an address that is none, plain HTTP beyond loopback), kInUse (the port is taken),
  // kPermission, kNotFound or kCorrupt (a certificate).
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Authenticator& authenticator,
                                                             Handler& handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // stops

  [[nodiscard]] std::string address() const;
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connections() const;

  // Whether the thread of the connections does something within that time. Workers are not asked: those that wait for
  // what hangs elsewhere leave the others' requests, and a restart does not help them.
  // REQUIRES: stop() has not been called.
  [[nodiscard]] bool is_alive(std::chrono::milliseconds patience);

  // New connections get the certificates that the files hold now, and connections of clients that have shown one end
  // after the request that they are at. After a failure all stays as it was.
  [[nodiscard]] Result<void> reload_certificate();

  // Ends: nobody is accepted, idle connections are closed, requests that were read are answered. Returns when the last
  // one is, or after `patience`.
  void stop(std::chrono::seconds patience = std::chrono::seconds(10));

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace cohort::http
