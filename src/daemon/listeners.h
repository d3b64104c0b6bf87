// The HTTP servers of the daemon: for requests, and for its status.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/configuration.h"
#include "daemon/log.h"
#include "http/server.h"

namespace cohort::daemon {

// Threads: all functions from one, but connections().
class Listeners {
 public:
  struct Answers {
    http::Authenticator& users;
    http::Handler& requests;
    http::Authenticator& anybody;
    http::Handler& status;
  };

  // Listens at all addresses of the configuration when it returns. A certificate is made if there is none.
  // `answers` outlive the listeners. Fails as http::Server::start and http::make_certificate do.
  [[nodiscard]] static Result<std::unique_ptr<Listeners>> start(const Configuration& configuration,
                                                                const Answers& answers, Log& log);

  [[nodiscard]] std::size_t connections() const;
  // The first failure, after all were tried.
  [[nodiscard]] Result<void> reload_certificates();
  // Nobody new is accepted; what was read is answered, for at most `patience` at each address.
  void stop(std::chrono::seconds patience);

 private:
  Listeners() = default;
  [[nodiscard]] Result<void> add(const Address& address, http::ServerOptions options, http::Authenticator& users,
                                 http::Handler& handler, Log& log);

  std::vector<std::unique_ptr<http::Server>> servers_;
};

}  // namespace cohort::daemon
