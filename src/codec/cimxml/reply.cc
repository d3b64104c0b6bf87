#include <algorithm>
#include <array>

#include "cim/value_text.h"
#include "codec/cimxml/elements.h"
#include "codec/cimxml/message.h"

namespace cohort::codec::cimxml {
namespace {

using xml::Writer;

constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// How the objects that a method lists are wrapped (DSP0200 5.3.2 and 5.4.2).
struct Wrapping {
  std::string_view method;
  std::string_view outer;  // around path and instance; empty: none
  bool has_full_path;      // INSTANCEPATH, not INSTANCENAME
  bool has_instance;
};
constexpr std::array<Wrapping, 11> kWrappings = {{
    {"EnumerateInstances", "VALUE.NAMEDINSTANCE", false, true},
    {"EnumerateInstanceNames", "", false, false},
    {"Associators", "VALUE.OBJECTWITHPATH", true, true},
    {"References", "VALUE.OBJECTWITHPATH", true, true},
    {"ExecQuery", "VALUE.OBJECTWITHPATH", true, true},
    {"AssociatorNames", "OBJECTPATH", true, false},
    {"ReferenceNames", "OBJECTPATH", true, false},
    {"OpenEnumerateInstancePaths", "", true, false},
    {"OpenAssociatorInstancePaths", "", true, false},
    {"OpenReferenceInstancePaths", "", true, false},
    {"PullInstancePaths", "", true, false},
}};

bool is_bare(std::string_view method) {
  return cim::same_name(method, "GetInstance") || cim::same_name(method, "PullInstances") ||
         cim::same_name(method, "OpenQueryInstances");
}

Wrapping wrapping_of(std::string_view method) {
  for (const Wrapping& each : kWrappings) {
    if (cim::same_name(each.method, method)) return each;
  }
  return {method, "VALUE.INSTANCEWITHPATH", true, true};
}

bool is_pulled(std::string_view method) {
  return method.substr(0, 4) == "Open" || method.substr(0, 4) == "Pull" || method.substr(0, 4) == "open" ||
         method.substr(0, 4) == "pull";
}

void write_error(Writer& writer, const cim::OperationFailed& failed) {
  writer.open("ERROR").attribute("CODE", std::to_string(static_cast<int>(failed.status)));
  writer.attribute("DESCRIPTION", failed.description);
  for (const cim::Instance& each : failed.errors) write_instance(writer, each);
  writer.close();
}

// Parameters have the type that a client can read back: an instance is a string.
void write_parameter(Writer& writer, const cim::NamedValue& parameter) {
  writer.open("PARAMVALUE").attribute("NAME", parameter.name);
  writer.attribute("PARAMTYPE", to_string(parameter.value.type()));
  if (parameter.value.type() == cim::Type::kInstance) writer.attribute("EmbeddedObject", "instance");
  write_value(writer, parameter.value);
  writer.close();
}

// Keeps what the request did not want out of a class.
void keep_members(cim::Class& c, const cim::GetClass& request) {
  if (!request.properties) return;
  std::erase_if(c.properties, [&](const cim::Property& each) {
    return std::none_of(request.properties->begin(), request.properties->end(),
                        [&](const std::string& name) { return cim::same_name(name, each.name); });
  });
}

cim::GetClass class_request_of(const Call& call) {
  const auto* const request = std::get_if<cim::Request>(&call.request);
  if (request == nullptr) return {};
  if (const auto* const one = std::get_if<cim::GetClass>(&request->operation)) return *one;
  if (const auto* const all = std::get_if<cim::EnumerateClasses>(&request->operation)) {
    return {"", all->is_local_only, all->has_qualifiers, all->has_class_origin, {}};
  }
  return {};
}

}  // namespace

ReplyStream::ReplyStream(const Call& call, cim::Response response, std::string host)
    : message_id_(call.message_id),
      method_(call.method),
      namespace_name_(call.object.namespace_name),
      host_(std::move(host)),
      is_extrinsic_(call.is_extrinsic),
      class_request_(class_request_of(call)),
      response_(std::move(response)) {}

std::optional<std::string> ReplyStream::next() {
  if (state_ == State::kEnd) return std::nullopt;
  if (state_ == State::kBegin) begin();
  state_ = State::kContent;
  const auto* const objects = std::get_if<cim::Objects>(&response_);
  if (objects != nullptr && !write_some_objects(*objects)) return writer_.take();
  write_content();
  end();
  state_ = State::kEnd;
  return writer_.take();
}

void ReplyStream::begin() {
  writer_.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
  writer_.open("CIM").attribute("CIMVERSION", "2.0").attribute("DTDVERSION", "2.0");
  writer_.open("MESSAGE").attribute("ID", message_id_).attribute("PROTOCOLVERSION", "1.0");
  writer_.open("SIMPLERSP").open(is_extrinsic_ ? "METHODRESPONSE" : "IMETHODRESPONSE").attribute("NAME", method_);
  const auto* const objects = std::get_if<cim::Objects>(&response_);
  const bool has_value = objects != nullptr || std::holds_alternative<cim::CreatedInstance>(response_) ||
                         std::holds_alternative<cim::Classes>(response_) ||
                         std::holds_alternative<cim::ClassNames>(response_) ||
                         std::holds_alternative<cim::QualifierTypes>(response_);
  if (has_value) writer_.open("IRETURNVALUE");
}

// False if there are more.
bool ReplyStream::write_some_objects(const cim::Objects& objects) {
  while (written_objects_ < objects.instances.size() && writer_.size() < kChunkBytes) {
    write_object(objects.instances[written_objects_++]);
  }
  return written_objects_ == objects.instances.size();
}

void ReplyStream::write_object(cim::Instance instance) {
  if (is_bare(method_)) return write_instance(writer_, instance);
  const Wrapping wrapping = wrapping_of(method_);
  cim::ObjectPath& path = instance.path;
  if (path.host.empty()) path.host = host_;
  if (path.namespace_name.empty()) path.namespace_name = namespace_name_;
  if (!wrapping.outer.empty()) writer_.open(wrapping.outer);
  if (wrapping.has_full_path) {
    write_instance_path(writer_, path);
  } else {
    write_instance_name(writer_, path);
  }
  if (wrapping.has_instance) write_instance(writer_, instance);
  if (!wrapping.outer.empty()) writer_.close();
}

void ReplyStream::write_method_result(const cim::MethodResult& result) {
  const cim::Type type = result.return_value.type();
  writer_.open("RETURNVALUE").attribute("PARAMTYPE", to_string(type));
  write_value(writer_, result.return_value);
  writer_.close();
  for (const cim::NamedValue& each : result.out) write_parameter(writer_, each);
}

void ReplyStream::write_content() {
  std::visit(Overloaded{[](const cim::Done&) {},
                        [&](const cim::Objects& objects) {
                          writer_.close();
                          if (!is_pulled(method_)) return;
                          write_parameter(writer_, {"EndOfSequence", cim::Value(objects.is_end_of_sequence)});
                          write_parameter(writer_, {"EnumerationContext", cim::Value(objects.context)});
                        },
                        [&](const cim::CreatedInstance& created) {
                          write_instance_name(writer_, created.path);
                          writer_.close();
                        },
                        [&](const cim::MethodResult& result) { write_method_result(result); },
                        [&](cim::Classes& found) {
                          for (cim::Class& each : found.classes) {
                            keep_members(each, class_request_);
                            write_class(writer_, each,
                                        {class_request_.is_local_only, class_request_.has_qualifiers,
                                         class_request_.has_class_origin, ""});
                          }
                          writer_.close();
                        },
                        [&](const cim::ClassNames& found) {
                          for (const std::string& each : found.names) {
                            writer_.open("CLASSNAME").attribute("NAME", each).close();
                          }
                          writer_.close();
                        },
                        [&](const cim::QualifierTypes& found) {
                          for (const cim::QualifierType& each : found.types) write_qualifier_type(writer_, each);
                          writer_.close();
                        },
                        [&](const cim::OperationFailed& failed) { write_error(writer_, failed); }},
             response_);
}

void ReplyStream::end() { writer_.close().close().close().close().raw("\n"); }

}  // namespace cohort::codec::cimxml
