// CIM-XML over HTTP (DSP0200).
#pragma once

#include <string>

#include "cim/schema.h"
#include "codec/cimxml/message.h"
#include "daemon/cim_server.h"
#include "http/message.h"

namespace cohort::daemon {

class CimXmlHandler final : public http::Handler {
 public:
  // `host` stands in paths. What is given by reference outlives the handler.
  CimXmlHandler(CimServer& server, const cim::Schema& schema, std::string host)
      : server_(server), schema_(schema), host_(std::move(host)) {}

  // REQUIRES: the request's method is POST.
  [[nodiscard]] http::Response handle(const http::Request& request, const http::Identity& identity) override;

 private:
  [[nodiscard]] cim::Response answer(const codec::cimxml::Call& call, const Client& client);

  CimServer& server_;
  const cim::Schema& schema_;
  const std::string host_;
};

}  // namespace cohort::daemon
