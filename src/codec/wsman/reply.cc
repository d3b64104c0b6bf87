#include <algorithm>
#include <functional>

#include "cim/value_text.h"
#include "codec/cimxml/elements.h"
#include "codec/cimxml/embedded_instance.h"
#include "codec/wsman/message.h"
#include "codec/wsman/values.h"
#include "codec/wsman/windows_code.h"
#include "codec/wsman/xs_time.h"

namespace cohort::codec::wsman {
namespace {

using xml::Writer;

constexpr std::string_view kFaultDetail = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/";
constexpr std::string_view kMicrosoft = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
constexpr std::string_view kClassDeclarations = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*";

// Readers of Windows' replies look for these very prefixes, and for "p" on the body's element.
void open_envelope(Writer& writer, const Header& header) {
  writer.open("s:Envelope").attribute("xml:lang", "en-US");
  writer.attribute("xmlns:s", "http://www.w3.org/2003/05/soap-envelope").attribute("xmlns:a", kAddressing);
  writer.attribute("xmlns:n", "http://schemas.xmlsoap.org/ws/2004/09/enumeration");
  writer.attribute("xmlns:e", "http://schemas.xmlsoap.org/ws/2004/08/eventing");
  writer.attribute("xmlns:x", "http://schemas.xmlsoap.org/ws/2004/09/transfer").attribute("xmlns:w", kWsman);
  writer.attribute("xmlns:p", kMicrosoft);
  writer.attribute("xmlns:cim", "http://schemas.dmtf.org/wbem/wscim/1/common");
  writer.attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
  if (header.has_precise_arrays) writer.attribute("xmlns:msftwinrm", kMicrosoft);
}

void begin(Writer& writer, const Header& header, std::string_view action, std::string_view message_id,
           const std::optional<Fault::ElementName>& not_understood = {}) {
  open_envelope(writer, header);
  writer.open("s:Header").element("a:Action", action).element("a:MessageID", message_id).element("a:To", kAnonymous);
  if (!header.message_id.empty()) writer.element("a:RelatesTo", header.message_id);
  if (not_understood) {
    // SOAP 1.2, part 1, 5.4.8.
    writer.open("s:NotUnderstood").attribute("qname", "u:" + not_understood->local);
    writer.attribute("xmlns:u", not_understood->namespace_uri).close();
  }
  writer.close().open("s:Body");
}

std::string end(Writer& writer) { return writer.close().close().take(); }

// "wsman:InvalidSelectors" in the prefixes of the envelope.
std::string shown_subcode(std::string_view subcode) {
  const std::size_t colon = subcode.find(':');
  const std::string_view prefix = subcode.substr(0, colon);
  const std::string_view shown = prefix == "wsman" ? "w" : prefix == "wsa" ? "a" : prefix == "wsen" ? "n" : prefix;
  return fmt::format("{}{}", shown, subcode.substr(colon));
}

// The two actions that every reader knows.
std::string_view fault_action(std::string_view subcode) {
  return subcode.starts_with("wsman:") ? "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
                                       : "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault";
}

// An item of a list: the object, the reference to it, or both.
void write_item(Writer& writer, cim::Shape shape, const std::function<void()>& write_object,
                const std::function<void()>& write_path) {
  const bool is_both = shape == cim::Shape::kInstancesWithPaths;
  if (is_both) writer.open("w:Item");
  if (shape != cim::Shape::kPaths) write_object();
  if (shape != cim::Shape::kInstances) {
    writer.open("a:EndpointReference");
    write_path();
    writer.close();
  }
  if (is_both) writer.close();
}

Notation notation_of(const Header& header) { return {header.family, header.namespace_name, header.has_precise_arrays}; }

void write_object(Writer& writer, const cim::Instance& object, const Header& header, cim::Shape shape) {
  cim::ObjectPath path = object.path;
  if (path.namespace_name.empty()) path.namespace_name = header.namespace_name;
  Notation notation = notation_of(header);
  notation.namespace_name = path.namespace_name;
  write_item(
      writer, shape, [&] { write_instance(writer, object, notation); },
      [&] { write_reference(writer, path, header.family); });
}

// What a class is asked for by (DSP0227, 15).
void write_class_reference(Writer& writer, const std::string& namespace_name, const std::string& class_name) {
  const auto write_selector = [&](std::string_view name, const std::string& value) {
    writer.open("w:Selector").attribute("Name", name).text(value).close();
  };
  writer.element("a:Address", kAnonymous).open("a:ReferenceParameters");
  writer.element("w:ResourceURI", kClassDeclarations).open("w:SelectorSet");
  write_selector("__cimnamespace", namespace_name);
  write_selector("ClassName", class_name);
  writer.close().close();
}

cim::Element as_text(const cim::Element& element) {
  const auto* const instance = std::get_if<cim::Shared<cim::Instance>>(&element);
  return instance == nullptr ? element : cim::Element(cimxml::embedded_text(**instance));
}

cim::Value as_text(const cim::Value& value) {
  if (value.type() != cim::Type::kInstance || value.is_null()) return value;
  if (!value.is_array()) return cim::Value(as_text(value.element()));
  std::vector<cim::Element> texts;
  for (const cim::Element& each : value.elements()) texts.push_back(as_text(each));
  return cim::Value::array(cim::Type::kString, std::move(texts));
}

void write_out_parameter(Writer& writer, const Call& call, const cim::NamedValue& parameter) {
  const auto is_it = [&](const std::string& name) { return cim::same_name(name, parameter.name); };
  const bool is_text = std::ranges::any_of(call.text_parameters, is_it);
  write_value(writer, "p", {parameter.name, is_text ? as_text(parameter.value) : parameter.value},
              notation_of(call.header));
}

void write_method_result(Writer& writer, const Call& call, const cim::InvokeMethod& invoked,
                         const cim::MethodResult& result) {
  const Header& header = call.header;
  writer.open("p:" + invoked.method + "_OUTPUT");
  writer.attribute("xmlns:p", resource_uri(header.family, header.namespace_name, invoked.path.class_name));
  for (const cim::NamedValue& each : result.out) write_out_parameter(writer, call, each);
  write_value(writer, "p", {"ReturnValue", result.return_value}, notation_of(header));
  writer.close();
}

// With the whole line of superclasses, from which Windows makes its own.
void write_classes(Writer& writer, const Call& call, const cim::Classes& found) {
  for (const cim::Class& each : found.classes) {
    cimxml::write_class(writer, each, {false, true, true, call.derivation});
  }
}

void write_detail(Writer& writer, const Fault& fault) {
  const auto code = windows_code_of(fault);
  if (fault.detail.empty() && !code) return;
  writer.open("s:Detail");
  if (!fault.detail.empty()) writer.element("w:FaultDetail", std::string(kFaultDetail) + fault.detail);
  if (code) {
    writer.open("f:WSManFault").attribute("xmlns:f", "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault");
    writer.attribute("Code", std::to_string(*code)).element("f:Message", fault.reason).close();
  }
  writer.close();
}

Fault no_room() {
  return {"wsman:EncodingLimit", "An object is larger than the envelope that the client accepts.", "MaxEnvelopeSize"};
}

void write_created(Writer& writer, const Call& call, cim::ObjectPath path) {
  if (path.namespace_name.empty()) path.namespace_name = call.header.namespace_name;
  writer.open("x:ResourceCreated");
  write_reference(writer, path, call.header.family);
  writer.close();
}

}  // namespace

Fault fault_of(const cim::OperationFailed& failed, const cim::Operation& operation) {
  using cim::Status;
  // All that can be wrong in the parameters of a Get that was read is that they fit several objects.
  if (failed.status == Status::kInvalidParameter && std::holds_alternative<cim::GetInstance>(operation)) {
    return {"wsman:InvalidSelectors", failed.description, "InsufficientSelectors"};
  }
  switch (failed.status) {
    case Status::kAccessDenied:
      return {"wsman:AccessDenied", failed.description};
    case Status::kAlreadyExists:
      return {"wsman:AlreadyExists", failed.description};
    case Status::kInvalidClass:
      return {"wsa:DestinationUnreachable", failed.description, "InvalidResourceURI"};
    case Status::kInvalidNamespace:
      return {"wsa:DestinationUnreachable", failed.description, "InvalidNamespace"};
    case Status::kNotFound:
      return {"wsa:DestinationUnreachable", failed.description};
    case Status::kInvalidParameter:
      return {"wsman:InvalidParameter", failed.description};
    case Status::kInvalidQuery:
      return {"wsen:CannotProcessFilter", failed.description};
    case Status::kQueryLanguageNotSupported:
      return {"wsen:FilteringNotSupported", failed.description};
    case Status::kInvalidEnumerationContext:
      return {"wsen:InvalidEnumerationContext", failed.description};
    case Status::kNotSupported:
    case Status::kMethodNotFound:
      return {"wsa:ActionNotSupported", failed.description};
    case Status::kServerLimitsExceeded:
      return {"wsman:QuotaLimit", failed.description};
    default:
      return {"wsman:InternalError", failed.description, "", true};
  }
}

std::string identify_reply(const Server& server) {
  Writer writer;
  writer.open("s:Envelope").attribute("xmlns:s", "http://www.w3.org/2003/05/soap-envelope");
  writer.attribute("xmlns:wsmid", "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd");
  writer.open("s:Header").close().open("s:Body").open("wsmid:IdentifyResponse");
  writer.element("wsmid:ProtocolVersion", kWsman).element("wsmid:ProductVendor", server.vendor);
  writer.element("wsmid:ProductVersion", server.version).close();
  return end(writer);
}

std::string fault_reply(const Header& header, const Fault& fault, std::string_view message_id) {
  Writer writer;
  begin(writer, header, fault_action(fault.subcode), message_id, fault.not_understood);
  writer.open("s:Fault").open("s:Code");
  if (fault.subcode.starts_with("s:")) {
    writer.element("s:Value", fault.subcode).close();
  } else {
    writer.element("s:Value", fault.is_of_receiver ? "s:Receiver" : "s:Sender");
    writer.open("s:Subcode").element("s:Value", shown_subcode(fault.subcode)).close().close();
  }
  writer.open("s:Reason").open("s:Text").attribute("xml:lang", "en-US").text(fault.reason).close().close();
  write_detail(writer, fault);
  writer.close();
  return end(writer);
}

std::string reply(const Call& call, const cim::Response& response, std::string_view message_id) {
  if (const auto* const failed = std::get_if<cim::OperationFailed>(&response)) {
    const auto& request = std::get<cim::Request>(call.operation);
    return fault_reply(call.header, fault_of(*failed, request.operation), message_id);
  }
  Writer writer;
  begin(writer, call.header, call.header.action + "Response", message_id);
  if (const auto* const objects = std::get_if<cim::Objects>(&response)) {
    for (const cim::Instance& each : objects->instances)
      write_object(writer, each, call.header, cim::Shape::kInstances);
  } else if (const auto* const result = std::get_if<cim::MethodResult>(&response)) {
    const auto& request = std::get<cim::Request>(call.operation);
    write_method_result(writer, call, std::get<cim::InvokeMethod>(request.operation), *result);
  } else if (const auto* const classes = std::get_if<cim::Classes>(&response)) {
    write_classes(writer, call, *classes);
  } else if (const auto* const created = std::get_if<cim::CreatedInstance>(&response)) {
    write_created(writer, call, created->path);
  }
  return end(writer);
}

bool ListReply::add(const std::string& item) {
  constexpr std::size_t kAround = 3000;  // the envelope without its objects
  has_refused_ = items_.size() + item.size() + kAround > header_.max_envelope_bytes;
  if (!has_refused_) items_ += item;
  return !has_refused_;
}

bool ListReply::add(const cim::Instance& object, cim::Shape shape) {
  Writer writer;
  write_object(writer, object, header_, shape);
  return add(writer.take());
}

bool ListReply::add(const cim::Class& object, const cim::ClassStore& store, cim::Shape shape) {
  Writer writer;
  const std::string derivation = fmt::format("{}", fmt::join(store.superclasses(object.name), ","));
  write_item(
      writer, shape,
      [&] {
        cimxml::write_class(writer, object, {false, true, true, derivation});
      },
      [&] { write_class_reference(writer, header_.namespace_name, object.name); });
  return add(writer.take());
}

std::string ListReply::envelope(bool is_end, std::string_view context, std::string_view message_id) const {
  if (is_too_small()) return fault_reply(header_, no_room(), message_id);
  const bool is_pull = header_.action.ends_with("/Pull");
  const bool has_items = is_pull || !items_.empty() || is_end;
  Writer writer;
  begin(writer, header_, header_.action + "Response", message_id);
  writer.open(is_pull ? "n:PullResponse" : "n:EnumerateResponse");
  if (granted_ && !is_end) writer.element("n:Expires", to_xs_time(cim::Datetime::interval(*granted_)));
  const std::string_view arrays = header_.has_precise_arrays ? kArraysOfContext : "";
  if (!is_pull || !is_end) writer.element("n:EnumerationContext", is_end ? "" : fmt::format("{}{}", context, arrays));
  // Items of an optimised Enumerate are in WS-Management's namespace, those of a Pull in WS-Enumeration's.
  if (has_items) writer.open(is_pull ? "n:Items" : "w:Items").raw(items_).close();
  if (is_end) writer.open(is_pull ? "n:EndOfSequence" : "w:EndOfSequence").close();
  writer.close();
  return end(writer);
}

tl::expected<std::string, Fault> class_list_reply(const Call& call, const cim::Classes& all,
                                                  const cim::ClassStore& store, std::string_view message_id) {
  ClassList rest = *call.class_list;
  ListReply list(call.header);
  for (std::uint32_t sent = 0; sent < rest.most && rest.first < all.classes.size(); ++sent, ++rest.first) {
    if (!list.add(all.classes.at(rest.first), store, rest.shape)) break;
  }
  if (list.is_too_small()) return tl::unexpected(no_room());
  // With no class wanted, the client comes back to learn that there is none.
  const bool is_end = rest.most > 0 && rest.first >= all.classes.size();
  return list.envelope(is_end, to_context(rest), message_id);
}

}  // namespace cohort::codec::wsman
