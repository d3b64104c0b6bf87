// Which protocol a request is of: by its path.
#pragma once

#include "http/message.h"

namespace cohort::daemon {

class Router final : public http::Handler {
 public:
  // Both outlive the router.
  Router(http::Handler& wsman, http::Handler& cimxml) : wsman_(wsman), cimxml_(cimxml) {}

  // POST /wsman is WS-Management, POST /cimom and / is CIM-XML; a query behind the path does not matter. 404 for other
  // paths, 405 for other methods.
  [[nodiscard]] http::Response handle(const http::Request& request, const http::Identity& identity) override;

 private:
  http::Handler& wsman_;
  http::Handler& cimxml_;
};

}  // namespace cohort::daemon
