#include "daemon/router.h"

#include <string_view>

namespace cohort::daemon {
namespace {

// Of a target in either form (RFC 9112 3.2): "/wsman?x", "http://host:5985/wsman".
std::string_view path_of(std::string_view target) {
  const auto scheme = target.find("://");
  if (!target.starts_with('/') && scheme != std::string_view::npos) {
    target.remove_prefix(scheme + 3);
    const auto end_of_host = target.find_first_of("/?");
    target = end_of_host == std::string_view::npos || target[end_of_host] == '?' ? "/" : target.substr(end_of_host);
  }
  return target.substr(0, target.find('?'));
}

}  // namespace

http::Response Router::handle(const http::Request& request, const http::Identity& identity) {
  const std::string_view path = path_of(request.target);
  http::Handler* handler = nullptr;
  if (path == "/wsman" || path == "/wsman/") handler = &wsman_;
  if (path == "/cimom" || path == "/cimom/" || path == "/") handler = &cimxml_;
  if (handler == nullptr) return {404, {}, {}};
  if (request.method != "POST") return {405, {{"Allow", "POST"}}, {}};
  return handler->handle(request, identity);
}

}  // namespace cohort::daemon
