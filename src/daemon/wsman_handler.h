// WS-Management over HTTP (DSP0226, MS-WSMV).
#pragma once

#include "cim/schema.h"
#include "codec/wsman/message.h"
#include "daemon/cim_server.h"
#include "http/message.h"

namespace cohort::daemon {

class WsmanHandler final : public http::Handler {
 public:
  // Both outlive the handler.
  WsmanHandler(CimServer& server, const cim::Schema& schema) : server_(server), schema_(schema) {}

  // REQUIRES: the request's method is POST.
  [[nodiscard]] http::Response handle(const http::Request& request, const http::Identity& identity) override;

 private:
  [[nodiscard]] http::Response answer(const http::Request& request, const std::string& charset, const Client& client);
  [[nodiscard]] http::Response answer(const codec::wsman::Call& call, const Client& client);
  [[nodiscard]] cim::Response changed(const codec::wsman::Call& call, const cim::ModifyInstance& modify,
                                      const Client& client);
  [[nodiscard]] http::Response answer_list(const codec::wsman::Call& call, const cim::Request& request,
                                           const Client& client);
  [[nodiscard]] http::Response answer_class_list(const codec::wsman::Call& call, const cim::Request& request,
                                                 const Client& client);
  void close(const codec::wsman::Call& call, const std::string& context, const Client& client);

  CimServer& server_;
  const cim::Schema& schema_;
};

}  // namespace cohort::daemon
