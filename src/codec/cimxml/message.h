// CIM-XML over HTTP (DSP0200): the body of a request to a CIM operation, and a response to the body of the reply.
//
// Threads: the functions keep nothing; a ReplyStream is used by one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "cim/operation.h"
#include "cim/schema.h"
#include "codec/xml/writer.h"

namespace cohort::codec::cimxml {

// A body that is no CIM-XML request is answered with HTTP 400 (501 for multi-requests) and this in the header CIMError.
struct ProtocolError {
  int http_status = 400;
  std::string cim_error;  // "request-not-well-formed", "unsupported-dtd-version", …
  std::string sentence;   // for the log
};

struct Call {
  std::string message_id;
  std::string method;         // as in the header CIMMethod
  bool is_extrinsic = false;  // a METHODCALL
  cim::ObjectPath object;     // as in the header CIMObject: a namespace alone for intrinsic methods
  // What to do, or what is wrong with it: an unknown namespace, class, method or parameter, a value that does not fit.
  std::variant<cim::Request, cim::OperationFailed> request;
};

// Reads a request. Paths, instances and parameters are in the types that the schema declares, whatever the request says
// of them; parameters that intrinsic methods do not know are ignored.
[[nodiscard]] tl::expected<Call, ProtocolError> read_request(std::string_view body, std::string_view charset,
                                                             const cim::Schema& schema);

// True if the headers CIMMethod and CIMObject, plain or percent-encoded, agree with the body. If not, the answer is a
// ProtocolError "header-mismatch".
[[nodiscard]] bool headers_agree(const Call& call, std::string_view cim_method, std::string_view cim_object);

// The reply in chunks of some 64 KiB, so that a long list is never held as XML in whole.
class ReplyStream {
 public:
  // `host` stands in paths that have none. REQUIRES: the response is of a kind that the request may be answered with;
  // any may be answered with OperationFailed.
  ReplyStream(const Call& call, cim::Response response, std::string host);

  // The next chunk; nothing after the last.
  [[nodiscard]] std::optional<std::string> next();

 private:
  void begin();
  void write_content();
  bool write_some_objects(const cim::Objects& objects);
  void write_object(cim::Instance instance);
  void write_method_result(const cim::MethodResult& result);
  void end();

  std::string message_id_, method_, namespace_name_, host_;
  bool is_extrinsic_;
  cim::GetClass class_request_;  // how classes are to be written
  cim::Response response_;
  xml::Writer writer_;
  std::size_t written_objects_ = 0;
  enum class State { kBegin, kContent, kEnd } state_ = State::kBegin;
};

}  // namespace cohort::codec::cimxml
