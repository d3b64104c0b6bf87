#include "daemon/wsman_handler.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/id.h"
#include "codec/xml/utf16.h"
#include "daemon/content_type.h"

namespace cohort::daemon {
namespace {

namespace wsman = codec::wsman;

constexpr int kFaultStatus = 500;  // of each fault, since there are clients that read no other

std::string new_message_id() { return "uuid:" + Uuid::generate().str(); }

http::Response soap(int status, std::string envelope) {
  return {status, {{"Content-Type", "application/soap+xml;charset=UTF-8"}}, std::move(envelope)};
}

// An answer is encoded as its request is (DSP0226, R13.1-2).
void encode_in_utf16(http::Response& response) {
  response.headers = {{"Content-Type", "application/soap+xml;charset=UTF-16"}};
  response.body = codec::xml::to_utf16(std::get<std::string>(response.body));
}

http::Response fault(const wsman::Header& header, const wsman::Fault& what) {
  return soap(kFaultStatus, wsman::fault_reply(header, what, new_message_id()));
}

wsman::Fault timed_out() {
  return {"wsman:TimedOut", "The answer was not there within the operation's timeout.", "", true};
}

wsman::Fault too_large() {
  return {"wsman:EncodingLimit", "The answer is larger than the envelope that the client accepts.", "MaxEnvelopeSize"};
}

// An answer that can be asked for again; that to a call that has changed something is given however long it is.
bool may_be_refused(const cim::Operation& operation) {
  return std::holds_alternative<cim::GetInstance>(operation) || std::holds_alternative<cim::GetClass>(operation);
}

}  // namespace

http::Response WsmanHandler::handle(const http::Request& request, const http::Identity& identity) {
  const Client client = server_.client_of(request, identity);
  const ContentType content = parse_content_type(request.header("Content-Type"));
  if (content.type != "application/soap+xml") {
    server_.refused(Protocol::kWsman, fmt::format("The content type \"{}\" is not SOAP's.", content.type), client);
    return {415, {{"Accept", "application/soap+xml"}}, {}};
  }
  http::Response response = answer(request, content.charset, client);
  if (codec::xml::is_utf16(request.body, content.charset)) encode_in_utf16(response);
  return response;
}

http::Response WsmanHandler::answer(const http::Request& request, const std::string& charset, const Client& client) {
  const auto call = wsman::read_request(request.body, charset, schema_);
  if (!call) {
    server_.refused(Protocol::kWsman, call.error().fault.reason, client);
    return fault(call.error().header, call.error().fault);
  }
  if (std::holds_alternative<wsman::Identify>(call->operation)) {
    return soap(200, wsman::identify_reply({"Cohort", COHORT_VERSION}));
  }
  return answer(*call, client);
}

http::Response WsmanHandler::answer(const wsman::Call& call, const Client& client) {
  const auto& request = std::get<cim::Request>(call.operation);
  const bool is_list = std::holds_alternative<cim::OpenEnumeration>(request.operation) ||
                       std::holds_alternative<cim::PullObjects>(request.operation);
  if (is_list) return answer_list(call, request, client);
  if (call.class_list) return answer_class_list(call, request, client);
  auto response = server_.answer(Protocol::kWsman, request, client, call.header.timeout);
  if (!response) return fault(call.header, timed_out());
  if (const auto* const failed = std::get_if<cim::OperationFailed>(&*response)) {
    return fault(call.header, wsman::fault_of(*failed, request.operation));
  }
  const auto* const modify = std::get_if<cim::ModifyInstance>(&request.operation);
  if (modify != nullptr) response = changed(call, *modify, client);
  std::string envelope = wsman::reply(call, *response, new_message_id());
  if (envelope.size() > call.header.max_envelope_bytes) {
    if (may_be_refused(request.operation)) return fault(call.header, too_large());
    if (modify != nullptr) envelope = wsman::reply(call, cim::Done{}, new_message_id());
  }
  return soap(200, std::move(envelope));
}

// A Put is answered with the instance as it is then, which Windows' clients hand on. The change is done, whether that
// can be read or not.
cim::Response WsmanHandler::changed(const wsman::Call& call, const cim::ModifyInstance& modify, const Client& client) {
  const cim::Request read{call.header.namespace_name, cim::GetInstance{modify.instance.path}};
  auto now = server_.answer(Protocol::kWsman, read, client, call.header.timeout);
  if (!now || !std::holds_alternative<cim::Objects>(*now)) return cim::Done{};
  return *std::move(now);
}

// The reply is written while the objects are read, so that no more are than the client's envelope holds.
http::Response WsmanHandler::answer_list(const wsman::Call& call, const cim::Request& request, const Client& client) {
  // Of the thread that reads, which may go on when this one has given it up: hence shared.
  const auto reply = std::make_shared<wsman::ListReply>(call.header);
  const auto response =
      server_.answer(Protocol::kWsman, request, client, call.header.timeout,
                     [reply](const cim::Instance& object, cim::Shape shape) { return reply->add(object, shape); });
  if (!response) return fault(call.header, timed_out());
  if (const auto* const failed = std::get_if<cim::OperationFailed>(&*response)) {
    return fault(call.header, wsman::fault_of(*failed, request.operation));
  }
  const auto& objects = std::get<cim::Objects>(*response);
  if (call.expires) reply->grant(objects.idle);
  // Nobody goes on with an enumeration that began with a fault.
  const bool is_opened = std::holds_alternative<cim::OpenEnumeration>(request.operation);
  if (reply->is_too_small() && is_opened) close(call, objects.context, client);
  return soap(reply->is_too_small() ? kFaultStatus : 200,
              reply->envelope(objects.is_end_of_sequence, objects.context, new_message_id()));
}

http::Response WsmanHandler::answer_class_list(const wsman::Call& call, const cim::Request& request,
                                               const Client& client) {
  // Of such a list nothing is kept that could be closed.
  const bool is_released = std::holds_alternative<cim::CloseEnumeration>(request.operation);
  if (is_released) return soap(200, wsman::reply(call, cim::Done{}, new_message_id()));
  const auto response = server_.answer(Protocol::kWsman, request, client, call.header.timeout);
  if (!response) return fault(call.header, timed_out());
  if (const auto* const failed = std::get_if<cim::OperationFailed>(&*response)) {
    return fault(call.header, wsman::fault_of(*failed, request.operation));
  }
  const cim::ClassStore& store = *schema_.find(request.namespace_name);
  auto reply = wsman::class_list_reply(call, std::get<cim::Classes>(*response), store, new_message_id());
  return reply ? soap(200, *std::move(reply)) : fault(call.header, reply.error());
}

void WsmanHandler::close(const wsman::Call& call, const std::string& context, const Client& client) {
  static_cast<void>(
      server_.answer(Protocol::kWsman, {call.header.namespace_name, cim::CloseEnumeration{context}}, client));
}

}  // namespace cohort::daemon
