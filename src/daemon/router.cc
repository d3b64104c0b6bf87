#include "daemon/router.h"

#include <string_view>

namespace cohort::daemon {

http::Response Router::handle(const http::Request& request, const http::Identity& identity) {
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  http::Handler* handler = nullptr;
  if (path == "/wsman" || path == "/wsman/") handler = &wsman_;
  if (path == "/cimom" || path == "/cimom/" || path == "/") handler = &cimxml_;
  if (handler == nullptr) return {404, {}, {}};
  if (request.method != "POST") return {405, {{"Allow", "POST"}}, {}};
  return handler->handle(request, identity);
}

}  // namespace cohort::daemon
