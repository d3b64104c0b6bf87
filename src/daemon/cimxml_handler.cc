#include "daemon/cimxml_handler.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "cim/name.h"
#include "daemon/content_type.h"

namespace cohort::daemon {
namespace {

namespace cimxml = codec::cimxml;
using cimxml::ProtocolError;

http::Response error_response(const ProtocolError& error) {
  return {error.http_status, {{"CIMError", error.cim_error}}, {}};
}

// What the headers of DSP0200 6.2 say before the body is read.
std::optional<ProtocolError> wrong_header(const http::Request& request) {
  if (!request.header("CIMBatch").empty()) {
    return ProtocolError{501, "multiple-requests-unsupported", "Several requests in one are not supported."};
  }
  if (!cim::same_name(request.header("CIMOperation"), "MethodCall")) {
    return ProtocolError{400, "unsupported-operation", "The header CIMOperation is not MethodCall."};
  }
  const std::string_view version = request.header("CIMProtocolVersion");
  if (!version.empty() && !version.starts_with("1.")) {
    return ProtocolError{501, "unsupported-protocol-version",
                         fmt::format("The protocol's version {} is not supported.", version)};
  }
  return std::nullopt;
}

bool is_xml(std::string_view type) { return type == "application/xml" || type == "text/xml"; }

// A client that takes trailers takes chunks, too; others want to know the length.
bool takes_chunks(const http::Request& request) {
  return request.header("TE").find("trailers") != std::string_view::npos;
}

std::string whole(cimxml::ReplyStream& stream) {
  std::string body;
  while (const auto chunk = stream.next()) body += *chunk;
  return body;
}

}  // namespace

http::Response CimXmlHandler::handle(const http::Request& request, const http::Identity& identity) {
  const Client client = server_.client_of(request, identity);
  const ContentType content = parse_content_type(request.header("Content-Type"));
  const auto refuse = [&](const ProtocolError& error) {
    server_.refused(Protocol::kCimXml, error.sentence, client);
    return error_response(error);
  };
  if (!is_xml(content.type)) {
    server_.refused(Protocol::kCimXml, fmt::format("The content type \"{}\" is not XML.", content.type), client);
    return {415, {{"Accept", "application/xml, text/xml"}}, {}};
  }
  if (const auto error = wrong_header(request)) return refuse(*error);
  const auto call = cimxml::read_request(request.body, content.charset, schema_);
  if (!call) return refuse(call.error());
  if (!cimxml::headers_agree(*call, request.header("CIMMethod"), request.header("CIMObject"))) {
    return refuse({400, "header-mismatch", "The headers CIMMethod and CIMObject do not agree with the body."});
  }
  http::Response response{
      200, {{"Content-Type", "application/xml; charset=\"utf-8\""}, {"CIMOperation", "MethodResponse"}}, {}};
  // Held by the function that makes the chunks, which has to be copyable: hence shared.
  const auto stream = std::make_shared<cimxml::ReplyStream>(*call, answer(*call, client), host_);
  if (takes_chunks(request)) {
    response.body = http::Chunks([stream] { return stream->next(); });
  } else {
    response.body = whole(*stream);
  }
  return response;
}

cim::Response CimXmlHandler::answer(const cimxml::Call& call, const Client& client) {
  if (const auto* const failed = std::get_if<cim::OperationFailed>(&call.request)) {
    server_.refused(Protocol::kCimXml, failed->description, client);
    return *failed;
  }
  auto response = server_.answer(Protocol::kCimXml, std::get<cim::Request>(call.request), client);
  if (!response) return cim::OperationFailed{cim::Status::kFailed, "The answer took longer than it may.", {}};
  return *std::move(response);
}

}  // namespace cohort::daemon
