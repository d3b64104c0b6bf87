// The HTTP servers of the daemon: for requests, and for its status.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "daemon/configuration.h"
#include "daemon/log.h"
#include "daemon/passed_sockets.h"
#include "http/server.h"

namespace cohort::daemon {

// Threads: all functions from one, but connections(), which may be called from any at any time.
class Listeners {
 public:
  struct Answers {
    http::Authenticator& users;
    http::Handler& requests;
    http::Authenticator& anybody;
    http::Handler& status;
  };

  // Listens at all addresses of the configuration when it returns, and at those sockets that were passed instead of the
  // addresses of their kind. A certificate is made if there is none.
  // `answers` outlive the listeners. Fails as http::Server::start and http::make_certificate do; then some addresses
  // may be listened at.
  [[nodiscard]] Result<void> start(const Configuration& configuration, const Answers& answers, PassedSockets sockets,
                                   Log& log);

  [[nodiscard]] std::size_t connections() const;
  // Whether all of them do something within that time: Server::is_alive.
  [[nodiscard]] bool are_alive(std::chrono::milliseconds patience) const;
  // The first failure, after all were tried.
  [[nodiscard]] Result<void> reload_certificates();
  // Nobody new is accepted; what was read is answered, for at most `patience` at each address.
  void stop(std::chrono::seconds patience);

 private:
  // Where a kind of requests is taken: at the sockets, or at the addresses if there are none.
  struct Places {
    const std::vector<Address>& addresses;
    std::vector<UniqueFd> sockets;
  };
  [[nodiscard]] Result<void> add_all(Places places, http::ServerOptions options, http::Authenticator& users,
                                     http::Handler& handler, Log& log);
  [[nodiscard]] Result<void> add(const http::ServerOptions& options, http::Authenticator& users, http::Handler& handler,
                                 Log& log);

  mutable std::mutex mutex_;  // of the list, which grows while the first are asked already
  std::vector<std::unique_ptr<http::Server>> servers_;
};

}  // namespace cohort::daemon
