#include <algorithm>

#include "cim/object_path.h"
#include "cim/typed.h"
#include "cim/value_text.h"
#include "cim/wql.h"
#include "codec/read_or_refuse.h"
#include "codec/wsman/message.h"
#include "codec/wsman/values.h"
#include "codec/wsman/xs_time.h"
#include "codec/xml/utf16.h"

namespace cohort::codec::wsman {
namespace {

using xml::Node;
template <typename T>
using Read = tl::expected<T, Fault>;
using Refused = tl::unexpected<Fault>;

constexpr std::string_view kSoap = "http://www.w3.org/2003/05/soap-envelope";
constexpr std::string_view kTransfer = "http://schemas.xmlsoap.org/ws/2004/09/transfer/";
constexpr std::string_view kEnumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/";
constexpr std::size_t kMinEnvelope = 8192;

Refused refuse(std::string subcode, std::string reason, std::string detail = {}) {
  return Refused(Fault{std::move(subcode), std::move(reason), std::move(detail), false});
}

Refused wrong_selectors(std::string reason, std::string detail) {
  return refuse("wsman:InvalidSelectors", std::move(reason), std::move(detail));
}

std::string text_of(const Node* node) {
  return node == nullptr ? std::string() : std::string(xml::trimmed(node->text));
}

Read<std::uint32_t> number_or(const Node* node, std::uint32_t otherwise) {
  if (node == nullptr) return otherwise;
  const auto read = cim::parse_element(cim::Type::kUint32, node->text);
  if (!read) return refuse("wsman:SchemaValidationError", fmt::format("{}: {}", node->name, read.error().message));
  return std::get<std::uint32_t>(*read);
}

// The headers that a request may insist on.
bool is_understood(const Node& header) {
  static constexpr std::string_view kNames[] = {"Action",
                                                "To",
                                                "MessageID",
                                                "ReplyTo",
                                                "FaultTo",
                                                "From",
                                                "RelatesTo",
                                                "ResourceURI",
                                                "SelectorSet",
                                                "OperationTimeout",
                                                "MaxEnvelopeSize",
                                                "Locale",
                                                "DataLocale",
                                                "OptionSet",
                                                "RequestTotalItemsCountEstimate",
                                                "SessionId",
                                                "OperationID",
                                                "SequenceId",
                                                "ActivityId",
                                                "FragmentTransfer",
                                                "Identifier",
                                                "CompressionType"};
  return std::find(std::begin(kNames), std::end(kNames), header.name) != std::end(kNames);
}

class Reader {
 public:
  Reader(const Node& envelope, const cim::Schema& schema) : envelope_(envelope), schema_(schema) {}

  Read<Call> call() {
    const Node* const body = envelope_.child(kSoap, "Body");
    if (!envelope_.is(kSoap, "Envelope") || body == nullptr) {
      return refuse("wsman:SchemaValidationError", "The request is no SOAP 1.2 envelope with a body.");
    }
    if (body->child("Identify") != nullptr) return Call{header_, Identify{}};
    const Node* const header = envelope_.child(kSoap, "Header");
    if (header == nullptr) return refuse("wsa:MessageInformationHeaderRequired", "The envelope has no header.");
    COHORT_READ(const bool is_read, read_header(*header));
    static_cast<void>(is_read);
    COHORT_READ(const bool has_options, read_options(*header));
    static_cast<void>(has_options);
    COHORT_READ(cim::Operation operation, this->operation(*body));
    return Call{header_,
                cim::Request{header_.namespace_name, std::move(operation)},
                derivation_,
                expires_,
                std::move(text_parameters_),
                std::move(class_list_)};
  }

  [[nodiscard]] const Header& header() const { return header_; }

 private:
  Read<bool> read_header(const Node& header) {
    header_.message_id = text_of(header.child(kAddressing, "MessageID"));
    header_.action = text_of(header.child(kAddressing, "Action"));
    header_.resource_uri = text_of(header.child(kWsman, "ResourceURI"));
    if (header_.action.empty()) return refuse("wsa:MessageInformationHeaderRequired", "The header Action is missing.");
    for (const Node& each : header.children) {
      const std::string must = each.attribute_or("mustUnderstand", "false");
      if ((must == "true" || must == "1") && !is_understood(each)) {
        return Refused(Fault{"s:MustUnderstand",
                             fmt::format("The header {} is not understood.", each.name),
                             {},
                             false,
                             Fault::ElementName{each.namespace_uri, each.name}});
      }
    }
    const Node* const reply_to = header.child(kAddressing, "ReplyTo");
    const std::string address = reply_to == nullptr ? "" : text_of(reply_to->child("Address"));
    if (!address.empty() && address != kAnonymous) {
      return refuse("wsman:UnsupportedFeature", "Replies go to the anonymous address only.", "AddressingMode");
    }
    COHORT_READ(const bool has_limits, read_limits(header));
    static_cast<void>(has_limits);
    if (!is_pull_like()) return read_target(header);
    read_loose_target(header);
    return true;
  }

  // A context is found by its id; its URI and selectors may be others, or none. They say how the answer is written.
  [[nodiscard]] bool is_pull_like() const {
    return header_.action == std::string(kEnumeration) + "Pull" ||
           header_.action == std::string(kEnumeration) + "Release";
  }

  Read<bool> read_limits(const Node& header) {
    if (const Node* const most = header.child(kWsman, "MaxEnvelopeSize")) {
      COHORT_READ(header_.max_envelope_bytes, number_or(most, 0));
      if (header_.max_envelope_bytes < kMinEnvelope) {
        return refuse("wsman:EncodingLimit", fmt::format("Envelopes have {} bytes at least.", kMinEnvelope),
                      "MinimumEnvelopeLimit");
      }
    }
    if (const Node* const timeout = header.child(kWsman, "OperationTimeout")) {
      const auto read = read_time(xml::trimmed(timeout->text));
      if (!read || !read->is_interval())
        return refuse("wsman:SchemaValidationError", "OperationTimeout is no duration.");
      header_.timeout = read->count();
    }
    if (header.child(kWsman, "FragmentTransfer") != nullptr) {
      return refuse("wsman:UnsupportedFeature", "Fragments are not supported.", "FragmentLevelAccess");
    }
    return true;
  }

  // Few options change anything here, whether the set has to be understood or not: Windows' clients send many. One that
  // says of itself that it must be complied with is refused (DSP0226 6.4, MS-WSMV 3.1.4.1.10).
  Read<bool> read_options(const Node& header) {
    const auto precise = options("msftwinrm:UsePreciseArrays");
    header_.has_precise_arrays = !precise.empty() && cim::same_name(precise.front(), "true");
    const Node* const set = header.child(kWsman, "OptionSet");
    if (set == nullptr) return true;
    for (const Node& each : set->children) {
      const std::string must = each.attribute_or("MustComply", "false");
      if (must != "true" && must != "1") continue;
      return refuse("wsman:InvalidOptions",
                    fmt::format("There is no option \"{}\" that can be complied with.",
                                each.attribute_or("Name", "").substr(0, 100)),
                    "NotSupported");
    }
    return true;
  }

  Read<bool> read_target(const Node& header) {
    const auto uri = parse_resource_uri(header_.resource_uri);
    if (!uri) return refuse("wsa:DestinationUnreachable", uri.error().message, "InvalidResourceURI");
    header_.family = uri->family == UriFamily::kClass ? UriFamily::kDmtf : uri->family;
    path_.namespace_name = uri->namespace_name;
    path_.class_name = uri->class_name;
    is_class_request_ = uri->family == UriFamily::kClass;
    if (const Node* const set = header.child(kWsman, "SelectorSet")) {
      const auto read = read_selectors(*set, path_);
      if (!read)
        return wrong_selectors(read.error().message,
                               read.error().code == ErrorCode::kAlreadyExists ? "DuplicateSelectors" : "");
    }
    if (path_.namespace_name.empty()) path_.namespace_name = cim::kVirtualizationNamespace;
    header_.namespace_name = path_.namespace_name;
    store_ = schema_.find(path_.namespace_name);
    if (store_ == nullptr) {
      return refuse("wsa:DestinationUnreachable", fmt::format("There is no namespace \"{}\".", path_.namespace_name),
                    "InvalidNamespace");
    }
    const bool is_any = path_.class_name == "*" || is_class_request_;
    return is_any ? Read<bool>(true) : check_class();
  }

  void read_loose_target(const Node& header) {
    const auto uri = parse_resource_uri(header_.resource_uri);
    if (uri && uri->family == UriFamily::kDmtf) header_.family = uri->family;
    cim::ObjectPath selected;
    const Node* const set = header.child(kWsman, "SelectorSet");
    const bool is_selected = set != nullptr && read_selectors(*set, selected).has_value();
    if (is_selected) header_.namespace_name = selected.namespace_name;
    if (uri && !uri->namespace_name.empty()) header_.namespace_name = uri->namespace_name;
    if (schema_.find(header_.namespace_name) == nullptr) header_.namespace_name = cim::kVirtualizationNamespace;
  }

  Read<bool> check_class() {
    const cim::Class* const of = store_->find(path_.class_name);
    if (of == nullptr) {
      return refuse("wsa:DestinationUnreachable", fmt::format("There is no class \"{}\".", path_.class_name),
                    "InvalidResourceURI");
    }
    auto typed = cim::typed(path_, *store_);
    if (!typed)
      return wrong_selectors(typed.error().describe(),
                             typed.error().context.empty() ? "UnexpectedSelectors" : "TypeMismatch");
    path_ = *std::move(typed);
    return true;
  }

  Read<cim::Operation> operation(const Node& body) {
    std::string_view action = header_.action;
    if (action.starts_with(kTransfer)) return transfer(action.substr(kTransfer.size()), body);
    if (action.starts_with(kEnumeration)) return enumeration(action.substr(kEnumeration.size()), body);
    return invoke(body);
  }

  Read<cim::Operation> transfer(std::string_view verb, const Node& body) {
    if (is_class_request_) return class_request(verb);
    if (path_.class_name == "*")
      return refuse("wsa:DestinationUnreachable", "The URI names no class.", "InvalidResourceURI");
    if (verb == "Create" || verb == "Put") return written(verb, body);
    const bool is_singleton = cim::missing_keys({}, *store_->find(path_.class_name)).empty();
    path_.is_singleton = is_singleton;
    if (path_.keys.empty() && !is_singleton) return wrong_selectors("Selectors are missing.", "InsufficientSelectors");
    if (verb == "Get") return cim::Operation(cim::GetInstance{path_, {}});
    if (verb == "Delete") return cim::Operation(cim::DeleteInstance{path_});
    return unknown_action();
  }

  Read<cim::Operation> written(std::string_view verb, const Node& body) {
    if (body.children.size() != 1) return refuse("wsman:SchemaValidationError", "The body has no instance.");
    auto instance = read_instance(body.children.front(), path_.class_name, *store_);
    if (!instance) return refuse("wsman:InvalidParameter", instance.error().describe());
    if (verb == "Create") return cim::Operation(cim::CreateInstance{*std::move(instance)});
    instance->path = path_;
    return cim::Operation(cim::ModifyInstance{*std::move(instance), modified_properties()});
  }

  // Windows' clients send the whole of what they have read, and name what they have changed; the rest may have changed
  // here meanwhile.
  [[nodiscard]] cim::PropertyList modified_properties() const {
    auto names = options("wmiarray:__MIInstanceModifiedPropertiesList");
    return names.empty() ? cim::PropertyList() : cim::PropertyList(std::move(names));
  }

  static std::string class_named_by(const cim::Value& selector) {
    return std::string(xml::trimmed(cim::to_text(selector.element())));
  }

  // Get with the selector ClassName, or with the class in the URI.
  Read<cim::Operation> class_request(std::string_view verb) {
    const cim::Value* const name = path_.key("ClassName");
    if (verb != "Get") return unknown_action();
    if (path_.class_name == "*" && name == nullptr)
      return wrong_selectors("The selector ClassName is missing.", "InsufficientSelectors");
    const std::string class_name = name == nullptr ? path_.class_name : class_named_by(*name);
    derivation_ = fmt::format("{}", fmt::join(store_->superclasses(class_name), ","));
    return cim::Operation(cim::GetClass{class_name, false, true, true, {}});
  }

  // Of the classes below the one that the selector names, or of all; deep, unless an option says otherwise.
  Read<cim::Operation> enumerate_classes(const cim::OpenEnumeration& open) {
    const cim::Value* const name = path_.key("ClassName");
    ClassList list{path_.namespace_name, name == nullptr ? "" : class_named_by(*name), true, open.shape};
    if (name == nullptr && path_.class_name != "*") list.class_name = path_.class_name;
    const auto subclasses = options("IncludeSubClasses");
    list.is_deep = subclasses.empty() || !cim::same_name(subclasses.front(), "false");
    list.most = open.max_objects;
    return classes_of(std::move(list));
  }

  Read<cim::Operation> classes_of(ClassList list) {
    header_.namespace_name = list.namespace_name;
    class_list_ = std::move(list);
    return cim::Operation(cim::EnumerateClasses{class_list_->class_name, class_list_->is_deep, false, true, true});
  }

  // The texts of the options of a name.
  [[nodiscard]] std::vector<std::string> options(std::string_view name) const {
    std::vector<std::string> texts;
    const Node* const set = envelope_.child(kSoap, "Header")->child(kWsman, "OptionSet");
    if (set == nullptr) return texts;
    for (const Node& each : set->children) {
      if (cim::same_name(each.attribute_or("Name", ""), name)) texts.emplace_back(xml::trimmed(each.text));
    }
    return texts;
  }

  std::string context_of(const Node& request) {
    std::string context = text_of(request.child("EnumerationContext"));
    if (!context.ends_with(kArraysOfContext)) return context;
    header_.has_precise_arrays = true;
    context.resize(context.size() - kArraysOfContext.size());
    return context;
  }

  Read<cim::Operation> enumeration(std::string_view verb, const Node& body) {
    if (body.children.empty()) return refuse("wsman:SchemaValidationError", "The body is empty.");
    const Node& request = body.children.front();
    const std::string context = context_of(request);
    auto classes = parse_class_context(context);
    if (verb == "Release") {
      class_list_ = std::move(classes);
      return cim::Operation(cim::CloseEnumeration{context});
    }
    if (verb == "Pull") {
      COHORT_READ(const std::uint32_t most, number_or(request.child("MaxElements"), 1));
      if (!classes) return cim::Operation(cim::PullObjects{context, most});
      classes->most = most;
      return classes_of(*std::move(classes));
    }
    return verb == "Enumerate" ? enumerate(request) : unknown_action();
  }

  Read<cim::Operation> enumerate(const Node& request) {
    cim::OpenEnumeration open;
    COHORT_READ(open.shape, shape_of(text_of(request.child("EnumerationMode"))));
    COHORT_READ(const std::uint32_t most, number_or(request.child("MaxElements"), 1));
    if (request.child("OptimizeEnumeration") != nullptr) open.max_objects = most;
    COHORT_READ(expires_, expiration(text_of(request.child("Expires"))));
    open.timeout = expires_;
    const Node* const filter =
        request.child(kWsman, "Filter") != nullptr ? request.child(kWsman, "Filter") : request.child("Filter");
    if (filter != nullptr && is_class_request_)
      return refuse("wsen:FilteringNotSupported", "Classes are listed without a filter.");
    if (is_class_request_) return enumerate_classes(open);
    if (filter == nullptr) {
      if (path_.class_name == "*")
        return refuse("wsa:DestinationUnreachable", "The URI names no class.", "InvalidResourceURI");
      open.what = cim::InstancesOf{path_.class_name, true, false};
      return cim::Operation(std::move(open));
    }
    COHORT_READ(open.what, selection(*filter));
    return cim::Operation(std::move(open));
  }

  // A length of time, or a time to come (WS-Enumeration 3.1); empty: neither.
  static Read<std::optional<std::chrono::seconds>> expiration(const std::string& text) {
    using std::chrono::microseconds;
    if (text.empty()) return std::optional<std::chrono::seconds>();
    const auto time = read_time(text);
    microseconds length{};
    if (time) length = time->count();
    if (time && !time->is_interval()) {
      length -= std::chrono::duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch());
    }
    if (length <= microseconds(0)) {
      return refuse("wsen:InvalidExpirationTime",
                    fmt::format("\"{}\" is no expiration: give a duration of days or less, or a time to come.",
                                text.substr(0, 100)));
    }
    return std::optional(std::chrono::ceil<std::chrono::seconds>(length));
  }

  static Read<cim::Shape> shape_of(const std::string& mode) {
    if (mode.empty() || mode == "EnumerateObject") return cim::Shape::kInstances;
    if (mode == "EnumerateEPR") return cim::Shape::kPaths;
    if (mode == "EnumerateObjectAndEPR") return cim::Shape::kInstancesWithPaths;
    return refuse("wsman:UnsupportedFeature", fmt::format("There is no enumeration mode \"{}\".", mode),
                  "EnumerationMode");
  }

  Read<cim::Selection> selection(const Node& filter) {
    const std::string dialect = filter.attribute_or("Dialect", "");
    if (dialect.ends_with("/WQL") || dialect.ends_with("dsp0202.pdf")) return query(filter.text);
    if (dialect.ends_with("/SelectorFilter")) return selector_filter(filter);
    if (dialect.ends_with("/associationFilter")) return association_filter(filter);
    return refuse("wsen:FilterDialectRequestedUnavailable", fmt::format("There is no filter dialect \"{}\".", dialect));
  }

  static Read<cim::Selection> query(const std::string& text) {
    if (const auto parsed = cim::parse_wql(text); !parsed)
      return refuse("wsen:CannotProcessFilter", parsed.error().message);
    return cim::Selection(cim::QueryFor{"WQL", text});
  }

  // A query for the instances whose properties are the selectors' values.
  [[nodiscard]] Read<cim::Selection> selector_filter(const Node& filter) const {
    const Node* const set = filter.child("SelectorSet");
    cim::ObjectPath wanted;
    const bool is_read = set != nullptr && read_selectors(*set, wanted).has_value();
    if (!is_read || path_.class_name == "*")
      return refuse("wsen:CannotProcessFilter", "The selectors of the filter cannot be read.");
    std::string text = "SELECT * FROM " + path_.class_name;
    std::string_view joint = " WHERE ";
    for (const cim::NamedValue& each : wanted.keys) {
      const std::string quoted =
          cim::to_text(cim::ObjectPath{"", "", "C", {{"", cim::Value(cim::to_text(each.value.element()))}}, false})
              .substr(2);
      text += fmt::format("{}{} = {}", joint, each.name, quoted);
      joint = " AND ";
    }
    return query(text);
  }

  Read<cim::Selection> association_filter(const Node& filter) {
    const Node* const kind = filter.children.empty() ? nullptr : &filter.children.front();
    const Node* const object = kind == nullptr ? nullptr : kind->child("Object");
    if (object == nullptr) return refuse("wsen:CannotProcessFilter", "The filter names no object.");
    auto source = read_reference(*object);
    if (source) source = cim::typed(*source, *store_);
    if (!source) return refuse("wsen:CannotProcessFilter", source.error().describe());
    const auto part = [&](std::string_view name) { return text_of(kind->child(name)); };
    // There are clients that always send the element, with nothing in it.
    if (!part("IncludeResultProperty").empty())
      return refuse("wsman:UnsupportedFeature", "Fragments are not supported.", "FragmentLevelAccess");
    if (kind->name == "AssociationInstances") {
      return cim::Selection(cim::ReferencesOf{*std::move(source), part("ResultClassName"), part("Role")});
    }
    if (kind->name != "AssociatedInstances")
      return refuse("wsen:CannotProcessFilter", "There is no such association filter.");
    return cim::Selection(cim::AssociatorsOf{*std::move(source), part("AssociationClassName"), part("ResultClassName"),
                                             part("Role"), part("ResultRole")});
  }

  [[nodiscard]] Refused unknown_action() const {
    return refuse("wsa:ActionNotSupported", fmt::format("The action \"{}\" is not supported.", header_.action));
  }

  static std::vector<std::string> text_parameters_of(const cim::Method& method) {
    std::vector<std::string> names;
    for (const cim::Parameter& each : method.parameters) {
      const bool is_string = cim::find_named(each.qualifiers, "CIMType") == nullptr;
      if (cim::is_out(each) && cim::embedded_class(each) && is_string) names.push_back(each.name);
    }
    return names;
  }

  // The action is a URI with the method behind the class.
  Read<cim::Operation> invoke(const Node& body) {
    const std::string name = header_.action.substr(header_.action.rfind('/') + 1);
    const cim::Class* const of = store_ == nullptr ? nullptr : store_->find(path_.class_name);
    const cim::Method* const method = of == nullptr ? nullptr : cim::find_named(of->methods, name);
    if (method == nullptr) return unknown_action();
    text_parameters_ = text_parameters_of(*method);
    cim::InvokeMethod invoked{path_, method->name, {}};
    if (body.children.empty()) return cim::Operation(std::move(invoked));
    const Node& input = body.children.front();
    for (const cim::Parameter& each : method->parameters) {
      std::vector<const Node*> given;
      for (const Node& child : input.children) {
        if (cim::same_name(child.name, each.name)) given.push_back(&child);
      }
      if (given.empty()) continue;
      auto value = read_elements(given, each, *store_, method->name + "." + each.name);
      if (!value) return refuse("wsman:InvalidParameter", value.error().describe());
      invoked.parameters.push_back({each.name, *std::move(value)});
    }
    for (const Node& child : input.children) {
      if (cim::find_named(method->parameters, child.name) == nullptr) {
        return refuse("wsman:InvalidParameter", fmt::format("{} has no parameter \"{}\".", method->name, child.name));
      }
    }
    return cim::Operation(std::move(invoked));
  }

  const Node& envelope_;
  const cim::Schema& schema_;
  Header header_;
  cim::ObjectPath path_;
  const cim::ClassStore* store_ = nullptr;
  bool is_class_request_ = false;
  std::string derivation_;
  std::vector<std::string> text_parameters_;
  std::optional<std::chrono::seconds> expires_;
  std::optional<ClassList> class_list_;
};

}  // namespace

tl::expected<Call, Refusal> read_request(std::string_view body, std::string_view charset, const cim::Schema& schema) {
  const auto envelope = xml::parse(body, charset);
  if (!envelope) return tl::unexpected(Refusal{{}, {"wsman:SchemaValidationError", envelope.error().message}});
  Reader reader(*envelope, schema);
  auto call = reader.call();
  if (!call) return tl::unexpected(Refusal{reader.header(), std::move(call).error()});
  // The answer is encoded as the request is, in twice the bytes of what is written here.
  if (xml::is_utf16(body, charset)) call->header.max_envelope_bytes /= 2;
  return *std::move(call);
}

}  // namespace cohort::codec::wsman
