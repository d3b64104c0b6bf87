// What a connection needs of its server.
#pragma once

#include <functional>

#include "http/authenticator.h"
#include "http/message.h"
#include "http/server.h"

namespace cohort::http {

class Surroundings {
 public:
  Surroundings(const ServerOptions& options, Authenticator& its_authenticator, Handler& its_handler)
      : limits(options.limits), plain(options.plain), authenticator(its_authenticator), handler(its_handler) {}
  virtual ~Surroundings() = default;

  const ServerLimits limits;
  const PlainHttp plain;
  Authenticator& authenticator;
  Handler& handler;

  // On the thread of the connections:
  [[nodiscard]] virtual bool is_stopping() const = 0;
  // Runs `work` on a worker, then `then` on the thread of the connections. False if too much waits for a worker.
  [[nodiscard]] virtual bool work(std::function<void()> work, std::function<void()> then) = 0;
  // A connection is no more.
  virtual void on_ended() = 0;
};

}  // namespace cohort::http
