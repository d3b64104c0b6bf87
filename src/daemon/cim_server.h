// What is the same for each CIM operation, whatever protocol it came by: the right that a user's role gives, the time
// it may take, the audit trail, and the figures of the metrics.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cim/operation.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/patience.h"
#include "daemon/rights.h"
#include "http/message.h"
#include "provider/broker.h"

namespace cohort::daemon {

struct Client {
  std::string address;
  provider::Caller caller;
};

// Threads: safe to call from several at once.
class CimServer {
 public:
  struct Limits {
    std::chrono::seconds question{120};  // the longest that one may take, however long the client would wait
    std::size_t late_questions = 32;     // that were given up and still run; see Patience
  };

  // All that is given outlives the server.
  CimServer(provider::Broker& broker, const Rights& rights, Metrics& metrics, Log& log, Limits limits);

  [[nodiscard]] Client client_of(const http::Request& request, const http::Identity& identity) const;

  // Nothing if a question took longer than `time`; then `room` may still be asked. An enumeration that was pulled from
  // is over then, since what was read of it is lost. A call that changes something is never given up: its client would
  // not learn whether it was done.
  [[nodiscard]] std::optional<cim::Response> answer(Protocol protocol, const cim::Request& request,
                                                    const Client& client,
                                                    std::optional<std::chrono::microseconds> time = {},
                                                    const provider::Room& room = {});
  // How many questions were given up and are still being worked on.
  [[nodiscard]] std::size_t late() { return patience_.late(); }
  // A request that is none: it is counted and logged.
  void refused(Protocol protocol, const std::string& why, const Client& client);

 private:
  [[nodiscard]] std::optional<cim::Response> ask(const cim::Request& request, const Client& client,
                                                 std::optional<std::chrono::microseconds> time,
                                                 const provider::Room& room);
  // Nothing for a context of "".
  void close(const std::string& namespace_name, const std::string& context, const provider::Caller& caller);
  void tell(const cim::Request& request, const std::optional<cim::Response>& response, const Client& client);

  provider::Broker& broker_;
  const Rights& rights_;
  Metrics& metrics_;
  Log& log_;
  const Limits limits_;
  Patience patience_;
};

}  // namespace cohort::daemon
