// GET /health and GET /metrics, for those who watch the daemon. Nobody has to authenticate for them, which is why they
// have a listener of their own and tell nothing about machines.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "daemon/metrics.h"
#include "http/authenticator.h"
#include "http/message.h"

namespace cohort::daemon {

class StatusHandler final : public http::Handler {
 public:
  // `look` brings the metrics up to date. `trouble` says what is wrong: nothing if all is well.
  using Look = std::function<void()>;
  using Trouble = std::function<std::optional<std::string>()>;
  StatusHandler(const Metrics& metrics, Look look, Trouble trouble)
      : metrics_(metrics), look_(std::move(look)), trouble_(std::move(trouble)) {}

  // /health is 200 "ok" or 503 with the trouble.
  [[nodiscard]] http::Response handle(const http::Request& request, const http::Identity& identity) override;

 private:
  const Metrics& metrics_;
  const Look look_;
  const Trouble trouble_;
};

// Everybody is the same reader.
class OpenDoor final : public http::Authenticator {
 public:
  [[nodiscard]] std::variant<http::Identity, http::Challenge> authenticate(std::string_view authorization,
                                                                           const http::Peer& peer) override;
};

}  // namespace cohort::daemon
