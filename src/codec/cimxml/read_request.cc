#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "cim/object_path.h"
#include "cim/typed.h"
#include "cim/value_text.h"
#include "codec/cimxml/elements.h"
#include "codec/cimxml/message.h"
#include "codec/read_or_refuse.h"
#include "codec/xml/node.h"

namespace cohort::codec::cimxml {
namespace {

using cim::OperationFailed;
using cim::Status;
using xml::Node;
template <typename T>
using Read = tl::expected<T, OperationFailed>;
using Refused = tl::unexpected<OperationFailed>;

constexpr std::size_t kMostProperties = 1000;  // in a list of them: each is compared with those of each instance

Refused refuse(Status status, std::string why) { return Refused(OperationFailed{status, std::move(why), {}}); }

template <typename T>
Read<T> checked(Result<T> result, Status status = Status::kInvalidParameter) {
  if (result) return *std::move(result);
  return refuse(status, result.error().describe());
}

// The IPARAMVALUEs of an intrinsic method.
class Parameters {
 public:
  Parameters(const Node& call, const cim::ClassStore& store) : call_(call), store_(store) {}

  [[nodiscard]] const Node* find(std::string_view name) const {
    const auto found = std::find_if(call_.children.begin(), call_.children.end(), [&](const Node& each) {
      return each.name == "IPARAMVALUE" && cim::same_name(each.attribute_or("NAME", ""), name);
    });
    return found == call_.children.end() || found->children.empty() ? nullptr : &found->children.front();
  }

  [[nodiscard]] std::string text(std::string_view name) const {
    const Node* const node = find(name);
    return node == nullptr ? std::string() : std::string(xml::trimmed(node->text));
  }

  // The name of a class, as CLASSNAME or, from some clients, as text.
  [[nodiscard]] std::string class_name(std::string_view name) const {
    const Node* const node = find(name);
    return node == nullptr ? std::string() : node->attribute_or("NAME", xml::trimmed(node->text));
  }

  [[nodiscard]] Read<bool> boolean(std::string_view name, bool otherwise) const {
    const std::string word = text(name);
    if (word.empty()) return otherwise;
    if (cim::same_name(word, "true") || cim::same_name(word, "false")) return cim::same_name(word, "true");
    return refuse(Status::kInvalidParameter, fmt::format("{} is neither true nor false.", name));
  }

  [[nodiscard]] Read<std::optional<std::uint32_t>> number(std::string_view name) const {
    const std::string word = text(name);
    if (word.empty()) return std::optional<std::uint32_t>();
    const auto read = cim::parse_element(cim::Type::kUint32, word);
    if (!read) return refuse(Status::kInvalidParameter, fmt::format("{}: {}", name, read.error().message));
    return std::optional(std::get<std::uint32_t>(*read));
  }

  [[nodiscard]] Read<cim::PropertyList> properties() const {
    const Node* const node = find("PropertyList");
    if (node == nullptr) return cim::PropertyList();
    if (node->children.size() > kMostProperties) return refuse(Status::kInvalidParameter, "PropertyList is too long.");
    std::vector<std::string> names;
    for (const Node& each : node->children) names.emplace_back(xml::trimmed(each.text));
    return cim::PropertyList(std::move(names));
  }

  [[nodiscard]] Read<cim::ObjectPath> path(std::string_view name) const {
    const Node* const node = find(name);
    if (node == nullptr) return refuse(Status::kInvalidParameter, fmt::format("The parameter {} is missing.", name));
    auto read = checked(read_path(*node));
    return read ? checked(cim::typed(*read, store_)) : read;
  }

  [[nodiscard]] const cim::ClassStore& store() const { return store_; }

 private:
  const Node& call_;
  const cim::ClassStore& store_;
};

using ReadOperation = Read<cim::Operation>;

Read<std::string> existing_class(std::string name, const Parameters& given) {
  if (given.store().find(name) != nullptr) return name;
  return refuse(Status::kInvalidClass, fmt::format("There is no class \"{}\".", name));
}

Read<cim::Instance> instance_from(const Node& node, const Parameters& given) {
  if (const auto name = existing_class(node.attribute_or("CLASSNAME", ""), given); !name) return Refused(name.error());
  return checked(read_instance(node, given.store()));
}

Read<cim::Selection> instances_of(const Parameters& given) {
  COHORT_READ(const bool is_deep, given.boolean("DeepInheritance", true));
  COHORT_READ(std::string class_name, existing_class(given.class_name("ClassName"), given));
  return cim::Selection(cim::InstancesOf{std::move(class_name), is_deep, false});
}

// Traditional operations name their source ObjectName, pulled ones InstanceName.
Read<cim::ObjectPath> source_of(const Parameters& given) {
  COHORT_READ(cim::ObjectPath source,
              given.path(given.find("InstanceName") != nullptr ? "InstanceName" : "ObjectName"));
  if (!source.is_class()) return source;
  return refuse(Status::kNotSupported, "Associations of classes are not supported, those of instances are.");
}

Read<cim::Selection> associators_of(const Parameters& given) {
  COHORT_READ(cim::ObjectPath source, source_of(given));
  return cim::Selection(cim::AssociatorsOf{std::move(source), given.class_name("AssocClass"),
                                           given.class_name("ResultClass"), given.text("Role"),
                                           given.text("ResultRole")});
}

Read<cim::Selection> references_of(const Parameters& given) {
  COHORT_READ(cim::ObjectPath source, source_of(given));
  return cim::Selection(cim::ReferencesOf{std::move(source), given.class_name("ResultClass"), given.text("Role")});
}

Read<cim::Selection> query_for(const Parameters& given) {
  const bool is_pulled = given.find("FilterQuery") != nullptr;
  const std::string language = given.text(is_pulled ? "FilterQueryLanguage" : "QueryLanguage");
  if (!cim::same_name(language, "WQL") && !cim::same_name(language, "DMTF:CQL")) {
    return refuse(Status::kQueryLanguageNotSupported,
                  fmt::format("Queries are written in WQL, not in \"{}\".", language));
  }
  COHORT_READ(const bool wants_class, given.boolean("ReturnQueryResultClass", false));
  if (wants_class) return refuse(Status::kInvalidParameter, "ReturnQueryResultClass is not supported.");
  return cim::Selection(cim::QueryFor{language, given.text(is_pulled ? "FilterQuery" : "Query")});
}

using Select = Read<cim::Selection> (*)(const Parameters&);

template <Select select, cim::Shape shape>
ReadOperation list(const Parameters& given) {
  COHORT_READ(cim::Selection what, select(given));
  COHORT_READ(cim::PropertyList properties, given.properties());
  return cim::Operation(cim::ListObjects{std::move(what), shape, std::move(properties)});
}

// A list is whole or an error here, so that nothing is left to go on with.
Read<bool> check_continuation(const Parameters& given) {
  COHORT_READ(const bool goes_on, given.boolean("ContinueOnError", false));
  if (goes_on) return refuse(Status::kContinuationOnErrorNotSupported, "ContinueOnError is not supported.");
  return true;
}

template <Select select, cim::Shape shape>
ReadOperation open(const Parameters& given) {
  COHORT_READ(cim::Selection what, select(given));
  COHORT_READ(const auto most, given.number("MaxObjectCount"));
  COHORT_READ(const auto seconds, given.number("OperationTimeout"));
  COHORT_READ(const bool is_whole, check_continuation(given));
  static_cast<void>(is_whole);
  COHORT_READ(cim::PropertyList properties, given.properties());
  cim::OpenEnumeration read{std::move(what), shape, std::move(properties), {}, {}, most.value_or(0), {}};
  if (seconds) read.timeout = std::chrono::seconds(*seconds);
  read.may_be_cut = false;
  if (!std::holds_alternative<cim::QueryFor>(read.what)) {
    read.filter_language = given.text("FilterQueryLanguage");
    read.filter = given.text("FilterQuery");
  }
  return cim::Operation(std::move(read));
}

template <cim::Shape shape>
ReadOperation pull(const Parameters& given) {
  COHORT_READ(const auto most, given.number("MaxObjectCount"));
  return cim::Operation(cim::PullObjects{given.text("EnumerationContext"), most.value_or(0), shape});
}

ReadOperation close(const Parameters& given) {
  return cim::Operation(cim::CloseEnumeration{given.text("EnumerationContext")});
}

ReadOperation get_instance(const Parameters& given) {
  COHORT_READ(cim::ObjectPath path, given.path("InstanceName"));
  COHORT_READ(cim::PropertyList properties, given.properties());
  return cim::Operation(cim::GetInstance{std::move(path), std::move(properties)});
}

ReadOperation delete_instance(const Parameters& given) {
  COHORT_READ(cim::ObjectPath path, given.path("InstanceName"));
  return cim::Operation(cim::DeleteInstance{std::move(path)});
}

ReadOperation create_instance(const Parameters& given) {
  const Node* const node = given.find("NewInstance");
  if (node == nullptr) return refuse(Status::kInvalidParameter, "The parameter NewInstance is missing.");
  COHORT_READ(cim::Instance instance, instance_from(*node, given));
  return cim::Operation(cim::CreateInstance{std::move(instance)});
}

// VALUE.NAMEDINSTANCE: a path and an instance.
ReadOperation modify_instance(const Parameters& given) {
  const Node* const node = given.find("ModifiedInstance");
  const Node* const name = node == nullptr ? nullptr : node->child("INSTANCENAME");
  const Node* const content = node == nullptr ? nullptr : node->child("INSTANCE");
  if (name == nullptr || content == nullptr) {
    return refuse(Status::kInvalidParameter, "The parameter ModifiedInstance, a named instance, is missing.");
  }
  COHORT_READ(const cim::ObjectPath path, checked(read_path(*name)));
  COHORT_READ(cim::Instance instance, instance_from(*content, given));
  COHORT_READ(instance.path, checked(cim::typed(path, given.store())));
  COHORT_READ(cim::PropertyList properties, given.properties());
  return cim::Operation(cim::ModifyInstance{std::move(instance), std::move(properties)});
}

ReadOperation get_class(const Parameters& given) {
  cim::GetClass read{given.class_name("ClassName"), true, true, false, {}};
  COHORT_READ(read.properties, given.properties());
  COHORT_READ(read.is_local_only, given.boolean("LocalOnly", true));
  COHORT_READ(read.has_qualifiers, given.boolean("IncludeQualifiers", true));
  COHORT_READ(read.has_class_origin, given.boolean("IncludeClassOrigin", false));
  return cim::Operation(std::move(read));
}

ReadOperation enumerate_classes(const Parameters& given) {
  cim::EnumerateClasses read{given.class_name("ClassName")};
  COHORT_READ(read.is_deep, given.boolean("DeepInheritance", false));
  COHORT_READ(read.is_local_only, given.boolean("LocalOnly", true));
  COHORT_READ(read.has_qualifiers, given.boolean("IncludeQualifiers", true));
  COHORT_READ(read.has_class_origin, given.boolean("IncludeClassOrigin", false));
  return cim::Operation(std::move(read));
}

ReadOperation enumerate_class_names(const Parameters& given) {
  COHORT_READ(const bool is_deep, given.boolean("DeepInheritance", false));
  return cim::Operation(cim::EnumerateClassNames{given.class_name("ClassName"), is_deep});
}

ReadOperation get_qualifier(const Parameters& given) {
  return cim::Operation(cim::GetQualifier{given.text("QualifierName")});
}

ReadOperation enumerate_qualifiers(const Parameters& /*given*/) { return cim::Operation(cim::EnumerateQualifiers{}); }

struct Intrinsic {
  std::string_view name;
  ReadOperation (*read)(const Parameters&);
};

using cim::Shape;
constexpr std::array<Intrinsic, 27> kIntrinsics = {{
    {"GetInstance", get_instance},
    {"CreateInstance", create_instance},
    {"ModifyInstance", modify_instance},
    {"DeleteInstance", delete_instance},
    {"EnumerateInstances", list<instances_of, Shape::kInstancesWithPaths>},
    {"EnumerateInstanceNames", list<instances_of, Shape::kPaths>},
    {"Associators", list<associators_of, Shape::kInstancesWithPaths>},
    {"AssociatorNames", list<associators_of, Shape::kPaths>},
    {"References", list<references_of, Shape::kInstancesWithPaths>},
    {"ReferenceNames", list<references_of, Shape::kPaths>},
    {"ExecQuery", list<query_for, Shape::kInstancesWithPaths>},
    {"OpenEnumerateInstances", open<instances_of, Shape::kInstancesWithPaths>},
    {"OpenEnumerateInstancePaths", open<instances_of, Shape::kPaths>},
    {"OpenAssociatorInstances", open<associators_of, Shape::kInstancesWithPaths>},
    {"OpenAssociatorInstancePaths", open<associators_of, Shape::kPaths>},
    {"OpenReferenceInstances", open<references_of, Shape::kInstancesWithPaths>},
    {"OpenReferenceInstancePaths", open<references_of, Shape::kPaths>},
    {"OpenQueryInstances", open<query_for, Shape::kInstances>},
    {"PullInstancesWithPath", pull<Shape::kInstancesWithPaths>},
    {"PullInstancePaths", pull<Shape::kPaths>},
    {"PullInstances", pull<Shape::kInstances>},
    {"CloseEnumeration", close},
    {"GetClass", get_class},
    {"EnumerateClasses", enumerate_classes},
    {"EnumerateClassNames", enumerate_class_names},
    {"GetQualifier", get_qualifier},
    {"EnumerateQualifiers", enumerate_qualifiers},
}};

// The parameters that were given, as the method declares them.
Read<std::vector<cim::NamedValue>> method_parameters(const Node& call, const cim::Method& method,
                                                     const cim::ClassStore& store) {
  std::vector<cim::NamedValue> read;
  for (const Node& each : call.children) {
    if (each.name != "PARAMVALUE") continue;
    const std::string name = each.attribute_or("NAME", "");
    const cim::Parameter* const parameter = cim::find_named(method.parameters, name);
    if (parameter == nullptr || cim::find_named(read, name) != nullptr) {
      return refuse(Status::kInvalidParameter,
                    fmt::format("{} has no parameter \"{}\", or it is there twice.", method.name, name));
    }
    COHORT_READ(const cim::Value given, checked(read_value(each)));
    COHORT_READ(cim::Value value, checked(as_declared(given, *parameter, store, method.name + "." + parameter->name)));
    read.push_back({parameter->name, std::move(value)});
  }
  return read;
}

ReadOperation read_method_call(const Node& call, const cim::ObjectPath& object, const std::string& name,
                               const cim::ClassStore& store) {
  const cim::Class* const of = store.find(object.class_name);
  if (of == nullptr) return refuse(Status::kInvalidClass, fmt::format("There is no class \"{}\".", object.class_name));
  const cim::Method* const method = cim::find_named(of->methods, name);
  if (method == nullptr)
    return refuse(Status::kMethodNotFound, fmt::format("{} has no method \"{}\".", of->name, name));
  COHORT_READ(cim::ObjectPath path, checked(cim::typed(object, store)));
  COHORT_READ(std::vector<cim::NamedValue> parameters, method_parameters(call, *method, store));
  return cim::Operation(cim::InvokeMethod{std::move(path), method->name, std::move(parameters)});
}

ReadOperation read_operation(const Node& node, const Call& call, const cim::Schema& schema) {
  const cim::ClassStore* const store = schema.find(call.object.namespace_name);
  if (store == nullptr) {
    return refuse(Status::kInvalidNamespace, fmt::format("There is no namespace \"{}\".", call.object.namespace_name));
  }
  if (call.is_extrinsic) return read_method_call(node, call.object, call.method, *store);
  for (const Intrinsic& each : kIntrinsics) {
    if (cim::same_name(each.name, call.method)) return each.read(Parameters(node, *store));
  }
  return refuse(Status::kNotSupported, fmt::format("The operation {} is not supported.", call.method));
}

tl::unexpected<ProtocolError> no_request(std::string cim_error, std::string sentence, int http_status = 400) {
  return tl::unexpected(ProtocolError{http_status, std::move(cim_error), std::move(sentence)});
}

// The namespace of an IMETHODCALL, or the object of a METHODCALL, is its first element.
Result<cim::ObjectPath> read_object(const Node& call) {
  if (call.children.empty()) return fail(ErrorCode::kInvalidArgument, "The call names no namespace.");
  const Node& target = call.children.front();
  if (call.name == "METHODCALL") return read_path(target);
  cim::ObjectPath path;
  COHORT_ASSIGN(path.namespace_name, read_namespace(target));
  return path;
}

bool is_version(const std::string& version, std::string_view major) { return version.substr(0, 2) == major; }

tl::expected<Call, ProtocolError> read_message(const Node& message, const cim::Schema& schema) {
  if (message.child("MULTIREQ") != nullptr)
    return no_request("multiple-requests-unsupported", "Several requests at once.", 501);
  const Node* const request = message.child("SIMPLEREQ");
  if (request == nullptr || request->children.empty()) return no_request("request-not-valid", "There is no SIMPLEREQ.");
  const Node& node = request->children.back();  // what stands before it (correlators) is not of interest
  Call call;
  call.message_id = message.attribute_or("ID", "");
  call.method = node.attribute_or("NAME", "");
  call.is_extrinsic = node.name == "METHODCALL";
  if (!call.is_extrinsic && node.name != "IMETHODCALL")
    return no_request("request-not-valid", "There is no method call.");
  auto object = read_object(node);
  if (!object) return no_request("request-not-valid", object.error().describe());
  call.object = *std::move(object);
  auto operation = read_operation(node, call, schema);
  if (operation) {
    call.request = cim::Request{call.object.namespace_name, *std::move(operation)};
  } else {
    call.request = std::move(operation).error();
  }
  return call;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const char* const begin = text.data() + i + 1;
    const bool is_escape =
        text[i] == '%' && i + 2 < text.size() && std::from_chars(begin, begin + 2, code, 16).ptr == begin + 2;
    decoded += is_escape ? static_cast<char>(static_cast<unsigned char>(code)) : text[i];
    if (is_escape) i += 2;
  }
  return decoded;
}

}  // namespace

tl::expected<Call, ProtocolError> read_request(std::string_view body, std::string_view charset,
                                               const cim::Schema& schema) {
  const auto document = xml::parse(body, charset);
  if (!document) return no_request("request-not-well-formed", document.error().message);
  if (document->name != "CIM") return no_request("request-not-valid", "The document is no CIM element.");
  if (!is_version(document->attribute_or("CIMVERSION", ""), "2."))
    return no_request("unsupported-cim-version", "CIM 2 is spoken here.");
  if (!is_version(document->attribute_or("DTDVERSION", ""), "2."))
    return no_request("unsupported-dtd-version", "DTD 2 is spoken here.");
  const Node* const message = document->child("MESSAGE");
  if (message == nullptr) return no_request("request-not-valid", "There is no MESSAGE.");
  if (!is_version(message->attribute_or("PROTOCOLVERSION", ""), "1.")) {
    return no_request("unsupported-protocol-version", "Protocol 1 is spoken here.");
  }
  return read_message(*message, schema);
}

bool headers_agree(const Call& call, std::string_view cim_method, std::string_view cim_object) {
  if (!cim::same_name(percent_decoded(cim_method), call.method)) return false;
  const std::string object = percent_decoded(cim_object);
  if (!call.is_extrinsic) return cim::same_name(object, call.object.namespace_name);
  const auto path = cim::parse_object_path(object);
  return path && cim::same_name(path->namespace_name, call.object.namespace_name) &&
         cim::same_name(path->class_name, call.object.class_name);
}

}  // namespace cohort::codec::cimxml
