#include "codec/wsman/values.h"

#include "cim/object_path.h"
#include "cim/typed.h"
#include "cim/value_text.h"
#include "codec/cimxml/elements.h"
#include "codec/wsman/xs_time.h"

namespace cohort::codec::wsman {
namespace {

using cim::Element;
using cim::Type;
using cim::Value;
using xml::Node;
using xml::Writer;

Result<void> read_selectors_at(const Node& set, cim::ObjectPath& path, int depth);

Result<cim::ObjectPath> read_reference_at(const Node& holder, int depth) {
  if (depth > cim::kMaxNesting) return fail(ErrorCode::kInvalidArgument, "References are nested too deep.");
  if (const Node* const wrapped = holder.child(kAddressing, "EndpointReference"))
    return read_reference_at(*wrapped, depth + 1);
  const Node* const parameters = holder.child("ReferenceParameters");
  const Node* const uri = parameters == nullptr ? nullptr : parameters->child("ResourceURI");
  if (uri == nullptr) return fail(ErrorCode::kInvalidArgument, "The endpoint reference has no ResourceURI.");
  COHORT_ASSIGN(const ResourceUri resource, parse_resource_uri(uri->text));
  cim::ObjectPath path;
  path.namespace_name = resource.namespace_name;
  path.class_name = resource.class_name;
  if (const Node* const set = parameters->child("SelectorSet")) COHORT_TRY(read_selectors_at(*set, path, depth));
  return path;
}

Result<void> read_selectors_at(const Node& set, cim::ObjectPath& path, int depth) {
  for (const Node& each : set.children) {
    const std::string name = each.attribute_or("Name", "");
    const std::string text(each.text);
    if (cim::same_name(name, "__cimnamespace")) {
      const std::string space(xml::trimmed(text));
      const bool is_other = !path.namespace_name.empty() && !cim::same_name(space, path.namespace_name);
      if (is_other || !cim::is_namespace_name(space)) {
        return fail(ErrorCode::kInvalidArgument, "The URI and the selector __cimnamespace name different namespaces.");
      }
      path.namespace_name = space;
      continue;
    }
    if (path.key(name) != nullptr) return fail(ErrorCode::kAlreadyExists, "The selector \"{}\" is there twice.", name);
    if (path.keys.size() == cim::kMaxKeys) return fail(ErrorCode::kInvalidArgument, "There are too many selectors.");
    Value value(text);
    if (!each.children.empty()) {
      COHORT_ASSIGN(cim::ObjectPath inner, read_reference_at(each, depth + 1));
      value = Value(std::move(inner));
    }
    path.keys.push_back({name, std::move(value)});
  }
  return {};
}

// The class that xsi:type="p:Class_Type" names, or what is declared.
std::string class_of(const Node& element, std::string_view declared) {
  std::string type = element.attribute_or("type", "");
  type.erase(0, type.find(':') == std::string::npos ? 0 : type.find(':') + 1);
  if (!type.ends_with("_Type")) return std::string(declared);
  return type.substr(0, type.size() - 5);
}

class Reader {
 public:
  explicit Reader(const cim::ClassStore& store) : store_(store) {}

  Result<Value> elements(const std::vector<const Node*>& elements, const cim::Declaration& declaration,
                         const std::string& where, int depth) const {
    std::vector<Element> read;
    for (const Node* each : elements) {
      COHORT_ASSIGN(Element one, element(*each, declaration, depth));
      read.push_back(std::move(one));
    }
    const bool is_null = read.size() == 1 && cim::is_null(read.front());
    if (read.empty() || is_null) return Value::null(cim::value_type(declaration), declaration.is_array);
    if (read.size() > 1 && !declaration.is_array) {
      return fail(ErrorCode::kInvalidArgument, "{} is there {} times, and is no array.", where, read.size());
    }
    // Times and references were read to what they are; the rest is text.
    const Value value = declaration.is_array ? Value::array(type_of_all(read), read) : Value(read.front());
    return cimxml::as_declared(value, declaration, store_, where);
  }

  Result<cim::Instance> instance(const Node& node, std::string_view class_name, int depth) const {
    const cim::Class* const of = store_.find(class_name);
    if (of == nullptr) return fail(ErrorCode::kInvalidArgument, "There is no class {}.", class_name);
    if (depth > cim::kMaxNesting) return fail(ErrorCode::kInvalidArgument, "Instances are nested too deep.");
    cim::Instance read{of->name, {}, {}};
    for (const Node& each : node.children) {
      const cim::Property* const property = cim::find_named(of->properties, each.name);
      if (property == nullptr)
        return fail(ErrorCode::kInvalidArgument, "{} has no property \"{}\".", of->name, each.name);
      if (read.find(property->name) != nullptr) continue;  // read with the first of its name
      std::vector<const Node*> same;
      for (const Node& other : node.children) {
        if (cim::same_name(other.name, each.name)) same.push_back(&other);
      }
      COHORT_ASSIGN(Value value, elements(same, *property, of->name + "." + property->name, depth));
      read.set(property->name, std::move(value));
    }
    return read;
  }

 private:
  static Type type_of_all(const std::vector<Element>& elements) {
    for (const Element& each : elements) {
      if (!cim::is_null(each)) return cim::type_of(each);
    }
    return Type::kString;
  }

  Result<Element> element(const Node& node, const cim::Declaration& declaration, int depth) const {
    const std::string nil = node.attribute_or("nil", "false");
    if (nil == "true" || nil == "1") return Element();
    if (declaration.type == Type::kReference) return reference(node, declaration, depth);
    if (declaration.type == Type::kDatetime) return time(node);
    const auto embedded = cim::embedded_class(declaration);
    if (!embedded || node.children.empty()) return Element(node.text);
    COHORT_ASSIGN(cim::Instance read, instance(node, class_of(node, *embedded), depth + 1));
    return Element(cim::Shared<cim::Instance>(std::move(read)));
  }

  static Result<Element> time(const Node& node) {
    const std::string_view text = xml::trimmed(node.children.empty() ? node.text : node.children.front().text);
    if (text.empty()) return Element();
    COHORT_ASSIGN(cim::Datetime read, read_time(text));
    return Element(std::move(read));
  }

  // Some clients send the instance itself, with its keys, for a reference to it.
  Result<Element> reference(const Node& node, const cim::Declaration& declaration, int depth) const {
    if (node.children.empty() && xml::trimmed(node.text).empty()) return Element();
    if (node.children.empty()) return cim::parse_element(Type::kReference, node.text);
    const bool is_endpoint = node.child("ReferenceParameters") != nullptr || node.child("EndpointReference") != nullptr;
    if (is_endpoint) {
      COHORT_ASSIGN(cim::ObjectPath path, read_reference_at(node, depth));
      return Element(cim::Shared<cim::ObjectPath>(std::move(path)));
    }
    COHORT_ASSIGN(const cim::Instance read, instance(node, class_of(node, declaration.reference_class), depth + 1));
    cim::ObjectPath path = cim::path_of(read, *store_.find(read.class_name), "");
    std::erase_if(path.keys, [](const cim::NamedValue& key) { return key.value.is_null(); });
    return Element(cim::Shared<cim::ObjectPath>(std::move(path)));
  }

  const cim::ClassStore& store_;
};

std::string namespace_or(const cim::ObjectPath& path, std::string_view otherwise) {
  return path.namespace_name.empty() ? std::string(otherwise) : path.namespace_name;
}

void write_properties(Writer& writer, std::string_view prefix, const cim::Instance& instance,
                      const Notation& notation) {
  for (const cim::NamedValue& each : instance.properties) write_value(writer, prefix, each, notation);
}

// Prefixes of instances in each other are p, p1, p2, …
std::string next_prefix(std::string_view prefix) {
  const int number = prefix.size() > 1 ? std::stoi(std::string(prefix.substr(1))) : 0;
  return "p" + std::to_string(number + 1);
}

void write_content(Writer& writer, std::string_view prefix, const Element& element, const Notation& notation) {
  if (const auto* const path = std::get_if<cim::Shared<cim::ObjectPath>>(&element)) {
    cim::ObjectPath full = **path;
    full.namespace_name = namespace_or(full, notation.namespace_name);
    write_reference(writer, full, notation.family);
  } else if (const auto* const instance = std::get_if<cim::Shared<cim::Instance>>(&element)) {
    const std::string inner = next_prefix(prefix);
    writer.attribute("xmlns:" + inner, resource_uri(notation.family, notation.namespace_name, (*instance)->class_name));
    writer.attribute("xsi:type", inner + ":" + (*instance)->class_name + "_Type");
    write_properties(writer, inner, **instance, notation);
  } else if (const auto* const time = std::get_if<cim::Datetime>(&element)) {
    writer.element(time->is_interval() ? "cim:Interval" : "cim:Datetime", to_xs_time(*time));
  } else {
    writer.text(cim::to_text(element));
  }
}

}  // namespace

Result<cim::ObjectPath> read_reference(const Node& holder) { return read_reference_at(holder, 0); }

Result<void> read_selectors(const Node& set, cim::ObjectPath& path) { return read_selectors_at(set, path, 0); }

Result<Value> read_elements(const std::vector<const Node*>& elements, const cim::Declaration& declaration,
                            const cim::ClassStore& store, const std::string& where) {
  return Reader(store).elements(elements, declaration, where, 0);
}

Result<cim::Instance> read_instance(const Node& element, std::string_view class_name, const cim::ClassStore& store) {
  return Reader(store).instance(element, class_name, 0);
}

// Each element says what its prefix means, though the envelope does: wsl copies the lines as they are into its next
// request, where the prefixes are others.
void write_reference(Writer& writer, const cim::ObjectPath& path, UriFamily family) {
  writer.open("a:Address").attribute("xmlns:a", kAddressing).text(kAnonymous).close();
  writer.open("a:ReferenceParameters").attribute("xmlns:a", kAddressing);
  writer.open("w:ResourceURI").attribute("xmlns:w", kWsman);
  writer.text(resource_uri(family, path.namespace_name, path.class_name)).close();
  writer.open("w:SelectorSet").attribute("xmlns:w", kWsman);
  if (family == UriFamily::kDmtf) {
    writer.open("w:Selector").attribute("Name", "__cimnamespace").text(path.namespace_name).close();
  }
  for (const cim::NamedValue& key : path.keys) {
    writer.open("w:Selector").attribute("Name", key.name);
    if (const cim::ObjectPath* const inner = key.value.reference()) {
      cim::ObjectPath full = *inner;
      full.namespace_name = namespace_or(full, path.namespace_name);
      writer.open("a:EndpointReference");
      write_reference(writer, full, family);
      writer.close();
    } else {
      writer.text(cim::to_text(key.value.element()));
    }
    writer.close();
  }
  writer.close().close();
}

void write_instance(Writer& writer, const cim::Instance& instance, const Notation& notation) {
  writer.open("p:" + instance.class_name);
  writer.attribute("xmlns:p", resource_uri(notation.family, notation.namespace_name, instance.class_name));
  writer.attribute("xsi:type", "p:" + instance.class_name + "_Type");
  write_properties(writer, "p", instance, notation);
  writer.close();
}

void write_value(Writer& writer, std::string_view prefix, const cim::NamedValue& value, const Notation& notation) {
  const std::string name = fmt::format("{}:{}", prefix, value.name);
  const std::vector<Element> elements =
      value.value.is_array() ? value.value.elements() : std::vector{value.value.element()};
  // Readers miss a property that is not there at all, so that an empty array is NULL to them.
  if (value.value.is_null() || elements.empty()) {
    writer.open(name);
    if (notation.has_precise_arrays && value.value.is_array()) {
      writer.attribute(value.value.is_null() ? "msftwinrm:IsNullArray" : "msftwinrm:IsEmptyArray", "true");
    }
    writer.attribute("xsi:nil", "true").close();
    return;
  }
  for (const Element& each : elements) {
    writer.open(name);
    if (cim::is_null(each)) writer.attribute("xsi:nil", "true");
    write_content(writer, prefix, each, notation);
    writer.close();
  }
}

}  // namespace cohort::codec::wsman
