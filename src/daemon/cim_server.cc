#include "daemon/cim_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "cim/value_text.h"
#include "daemon/operation_names.h"

namespace cohort::daemon {
namespace {

constexpr std::string_view kJobStarted = "4096";

// Of OperationFailed in the metrics.
Outcome outcome_of(const std::optional<cim::Response>& response) {
  if (!response) return Outcome::kTimedOut;
  const auto* const failed = std::get_if<cim::OperationFailed>(&*response);
  if (failed == nullptr) return Outcome::kDone;
  if (failed->status == cim::Status::kAccessDenied) return Outcome::kDenied;
  return Outcome::kFailed;
}

// How a change went, for people; `is_done` is false for a method that returned an error.
struct Told {
  std::string how;
  bool is_done = true;
};

Told told(const cim::Response& response) {
  if (const auto* const failed = std::get_if<cim::OperationFailed>(&response)) return {failed->description, false};
  const auto* const result = std::get_if<cim::MethodResult>(&response);
  if (result == nullptr) return {"done"};
  const std::string code = cim::to_text(result->return_value.element());
  return {"returned " + code, code == "0" || code == kJobStarted};
}

// The enumeration that a question opens or pulls, of which the client does not learn if nobody waits for the answer:
// it is closed then, by whoever comes last.
class UnansweredEnumeration {
 public:
  explicit UnansweredEnumeration(std::string context) : context_(std::move(context)) {}

  // To be called with the answer.
  [[nodiscard]] bool is_given_up(const std::string& context) {
    const std::scoped_lock lock(mutex_);
    context_ = context;
    return is_given_up_;
  }
  // What is known of it by now.
  [[nodiscard]] std::string give_up() {
    const std::scoped_lock lock(mutex_);
    is_given_up_ = true;
    return context_;
  }

 private:
  std::mutex mutex_;
  std::string context_;
  bool is_given_up_ = false;
};

}  // namespace

CimServer::CimServer(provider::Broker& broker, const Rights& rights, Metrics& metrics, Log& log, Limits limits)
    : broker_(broker),
      rights_(rights),
      metrics_(metrics),
      log_(log),
      limits_(limits),
      patience_(limits.late_questions) {}

Client CimServer::client_of(const http::Request& request, const http::Identity& identity) const {
  return {request.peer.address, rights_.caller(identity)};
}

std::optional<cim::Response> CimServer::answer(Protocol protocol, const cim::Request& request, const Client& client,
                                               std::optional<std::chrono::microseconds> time,
                                               const provider::Room& room) {
  const auto began = std::chrono::steady_clock::now();
  auto response = ask(request, client, time, room);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
  metrics_.count_request(protocol, name_of(request.operation), outcome_of(response), taken.count());
  tell(request, response, client);
  return response;
}

std::optional<cim::Response> CimServer::ask(const cim::Request& request, const Client& client,
                                            std::optional<std::chrono::microseconds> time, const provider::Room& room) {
  if (!is_question(request.operation)) return broker_.handle(request, client.caller);
  const std::chrono::microseconds limit =
      std::min(time.value_or(limits_.question), std::chrono::microseconds(limits_.question));
  const auto* const pull = std::get_if<cim::PullObjects>(&request.operation);
  const auto enumeration = std::make_shared<UnansweredEnumeration>(pull == nullptr ? "" : pull->context);
  auto answer = patience_.answer(client.caller.name, limit, [this, request, caller = client.caller, room, enumeration] {
    auto response = broker_.handle(request, caller, room);
    const auto* const objects = std::get_if<cim::Objects>(&response);
    if (objects != nullptr && enumeration->is_given_up(objects->context)) {
      close(request.namespace_name, objects->context, caller);
    }
    return response;
  });
  if (!answer) close(request.namespace_name, enumeration->give_up(), client.caller);
  return answer;
}

void CimServer::close(const std::string& namespace_name, const std::string& context, const provider::Caller& caller) {
  if (context.empty()) return;
  static_cast<void>(broker_.handle({namespace_name, cim::CloseEnumeration{context}}, caller));
}

void CimServer::tell(const cim::Request& request, const std::optional<cim::Response>& response, const Client& client) {
  Fields fields{{"user", client.caller.name}, {"address", client.address}};
  fields.emplace_back("operation", name_of(request.operation));
  if (!response) return log_.write(Event::kTimedOut, "An answer came too late.", fields);
  const bool is_denied = outcome_of(response) == Outcome::kDenied;
  if (!broker_.is_change(request) && !is_denied) return;
  const auto [method, object] = change_of(request.operation);
  fields.emplace_back("method", method);
  fields.emplace_back("object", object);
  const auto [how, is_done] = told(*response);
  const Event event = is_denied ? Event::kAccessDenied : is_done ? Event::kChanged : Event::kChangeFailed;
  log_.write(event, fmt::format("{}: {}", method, how), fields);
}

void CimServer::refused(Protocol protocol, const std::string& why, const Client& client) {
  metrics_.count_refused(protocol);
  log_.write(Event::kRequestRefused, why, {{"user", client.caller.name}, {"address", client.address}});
}

}  // namespace cohort::daemon
