#include "daemon/status_handler.h"

namespace cohort::daemon {

http::Response StatusHandler::handle(const http::Request& request, const http::Identity& /*identity*/) {
  const bool is_health = request.target == "/health";
  if (!is_health && request.target != "/metrics") return {404, {}, {}};
  if (request.method != "GET" && request.method != "HEAD") return {405, {{"Allow", "GET, HEAD"}}, {}};
  if (!is_health) {
    look_();
    return {200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, metrics_.text()};
  }
  const auto trouble = trouble_();
  return {trouble ? 503 : 200, {{"Content-Type", "text/plain; charset=utf-8"}}, trouble.value_or("ok") + "\n"};
}

std::variant<http::Identity, http::Challenge> OpenDoor::authenticate(std::string_view /*authorization*/,
                                                                     const http::Peer& /*peer*/) {
  return identify("nobody", http::Role::kReader);
}

}  // namespace cohort::daemon
