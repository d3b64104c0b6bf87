#include <algorithm>

#include "cim/mof.h"
#include "cim/object_path.h"
#include "cim/typed.h"
#include "cim/value_text.h"
#include "codec/cimxml/elements.h"
#include "codec/cimxml/embedded_instance.h"

namespace cohort::codec::cimxml {
namespace {

using cim::Element;
using cim::Value;
using xml::Node;

Failure not_valid(const Node& node, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, "The element {} is not valid: {}.", node.name.substr(0, 100), why);
}

Result<cim::ObjectPath> read_path_at(const Node& node, int depth);

// KEYVALUE or VALUE.REFERENCE
Result<Value> read_key_value(const Node& node, int depth) {
  if (node.name == "KEYVALUE") return Value(node.text);
  if (node.name != "VALUE.REFERENCE") return not_valid(node, "a key has a KEYVALUE or a VALUE.REFERENCE");
  COHORT_ASSIGN(cim::ObjectPath path, read_path_at(node, depth + 1));
  return Value(std::move(path));
}

Result<cim::ObjectPath> read_instance_name(const Node& node, int depth) {
  cim::ObjectPath path;
  path.class_name = node.attribute_or("CLASSNAME", "");
  for (const Node& each : node.children) {
    const bool is_binding = each.name == "KEYBINDING";
    if (is_binding && each.children.size() != 1) return not_valid(each, "it has one value");
    COHORT_ASSIGN(Value value, read_key_value(is_binding ? each.children.front() : each, depth));
    const std::string name = is_binding ? each.attribute_or("NAME", "") : "";
    if (cim::find_named(path.keys, name) != nullptr) return not_valid(node, "a key is there twice");
    if (path.keys.size() == cim::kMaxKeys) return not_valid(node, "it has too many keys");
    path.keys.push_back({name, std::move(value)});
  }
  path.is_singleton = path.keys.empty();
  return path;
}

// A name behind its host and namespace.
Result<cim::ObjectPath> read_full_path(const Node& node, int depth) {
  if (node.children.size() != 2) return not_valid(node, "it has a namespace and a name");
  const Node& space = node.children.front();
  const bool has_host = space.name == "NAMESPACEPATH";
  const Node* const local = has_host ? space.child("LOCALNAMESPACEPATH") : &space;
  if (local == nullptr) return not_valid(space, "it has a LOCALNAMESPACEPATH");
  COHORT_ASSIGN(cim::ObjectPath path, read_path_at(node.children.back(), depth + 1));
  COHORT_ASSIGN(path.namespace_name, read_namespace(*local));
  const Node* const host = has_host ? space.child("HOST") : nullptr;
  if (host != nullptr) path.host = xml::trimmed(host->text);
  return path;
}

Result<cim::ObjectPath> read_path_at(const Node& node, int depth) {
  if (depth > cim::kMaxNesting) return not_valid(node, "paths are nested too deep");
  if (node.name == "INSTANCENAME") return read_instance_name(node, depth);
  if (node.name == "CLASSNAME") {
    cim::ObjectPath path;
    path.class_name = node.attribute_or("NAME", "");
    return path;
  }
  if (node.name == "VALUE.REFERENCE" || node.name == "OBJECTPATH") {
    if (node.children.size() != 1) return not_valid(node, "it has one path");
    return read_path_at(node.children.front(), depth + 1);
  }
  if (node.name.ends_with("INSTANCEPATH") || node.name.ends_with("CLASSPATH")) return read_full_path(node, depth);
  return not_valid(node, "it is no path");
}

Result<Element> read_element(const Node& node) {
  if (node.name == "VALUE.NULL") return Element();
  if (node.name == "VALUE") return Element(node.text);
  COHORT_ASSIGN(cim::ObjectPath path, read_path(node));
  return Element(cim::Shared<cim::ObjectPath>(std::move(path)));
}

Result<Value> read_array(const Node& node, cim::Type type) {
  std::vector<Element> elements;
  for (const Node& each : node.children) {
    COHORT_ASSIGN(Element element, read_element(each));
    if (!cim::is_null(element) && cim::type_of(element) != type) return not_valid(node, "its values are of two kinds");
    elements.push_back(std::move(element));
  }
  return Value::array(type, std::move(elements));
}

// Reads instances in each other no deeper than kMaxNesting, whatever their dialects.
class InstanceReader {
 public:
  explicit InstanceReader(const cim::ClassStore& store) : store_(store) {}

  Result<cim::Instance> element(const Node& node, int depth) const {
    if (depth > cim::kMaxNesting) return not_valid(node, "instances are nested too deep");
    const std::string class_name = node.attribute_or("CLASSNAME", "");
    const cim::Class* const of = store_.find(class_name);
    if (of == nullptr) return fail(ErrorCode::kInvalidArgument, "There is no class {}.", class_name);
    cim::Instance read{of->name, {}, {}};
    for (const Node& each : node.children) {
      const std::string name = each.attribute_or("NAME", "");
      if (!each.name.starts_with("PROPERTY") || name.starts_with("__")) continue;
      COHORT_ASSIGN(Value given, read_value(each));
      COHORT_TRY(add(read, *of, name, given, depth));
    }
    return read;
  }

  Result<cim::Instance> text(std::string_view text, int depth) const {
    if (depth > cim::kMaxNesting) return fail(ErrorCode::kInvalidArgument, "Instances are nested too deep.");
    const std::string_view content = without_mark(xml::trimmed(text));
    if (!content.starts_with('<')) {
      COHORT_ASSIGN(const cim::Instance read, cim::parse_mof_instance(content));
      return declared(read, depth);
    }
    auto document = xml::parse(content);
    if (!document) return fail(ErrorCode::kInvalidArgument, "No instance can be read: {}", document.error().message);
    const Node* const instance = find_instance(*document);
    if (instance == nullptr) return fail(ErrorCode::kInvalidArgument, "There is no INSTANCE in the XML.");
    return element(*instance, depth);
  }

  Result<Value> value(const Value& given, const cim::Declaration& declaration, const std::string& where,
                      int depth) const {
    if (cim::value_type(declaration) != cim::Type::kInstance || given.is_null()) {
      return cim::typed(given, declaration, store_, where);
    }
    auto read = given.is_array() ? instances(given, depth) : instance(given.element(), depth);
    if (!read) return Failure(std::move(read).error().with_context("reading " + where));
    return cim::typed(*read, declaration, store_, where);
  }

 private:
  static std::string_view without_mark(std::string_view text) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
  }

  // The depth of the document is bounded by its parser.
  static const Node* find_instance(const Node& node) {
    if (node.name == "INSTANCE") return &node;
    for (const Node& each : node.children) {
      if (const Node* const found = find_instance(each)) return found;
    }
    return nullptr;
  }

  // What MOF says, with its text properties that hold instances read, too.
  Result<cim::Instance> declared(const cim::Instance& given, int depth) const {
    const cim::Class* const of = store_.find(given.class_name);
    if (of == nullptr) return fail(ErrorCode::kInvalidArgument, "There is no class {}.", given.class_name);
    cim::Instance read{of->name, {}, {}};
    for (const cim::NamedValue& each : given.properties) COHORT_TRY(add(read, *of, each.name, each.value, depth));
    return read;
  }

  Result<void> add(cim::Instance& instance, const cim::Class& of, const std::string& name, const Value& given,
                   int depth) const {
    const cim::Property* const property = cim::find_named(of.properties, name);
    if (property == nullptr) return fail(ErrorCode::kInvalidArgument, "{} has no property \"{}\".", of.name, name);
    COHORT_ASSIGN(Value read, value(given, *property, of.name + "." + property->name, depth));
    instance.set(property->name, std::move(read));
    return {};
  }

  // Clients send an empty text for "no settings".
  Result<Value> instance(const Element& element, int depth) const {
    const auto* const words = std::get_if<std::string>(&element);
    if (words == nullptr) return cim::is_null(element) ? Value::null(cim::Type::kInstance) : Value(element);
    if (xml::trimmed(*words).empty()) return Value::null(cim::Type::kInstance);
    COHORT_ASSIGN(cim::Instance read, text(*words, depth + 1));
    return Value(std::move(read));
  }

  Result<Value> instances(const Value& given, int depth) const {
    std::vector<Element> elements;
    for (const Element& each : given.elements()) {
      COHORT_ASSIGN(const Value read, instance(each, depth));
      elements.push_back(read.element());
    }
    const bool are_instances = std::all_of(elements.begin(), elements.end(), [](const Element& each) {
      return cim::is_null(each) || cim::type_of(each) == cim::Type::kInstance;
    });
    if (!are_instances)
      return fail(ErrorCode::kInvalidArgument, "Instances are declared, and something else is there.");
    return Value::array(cim::Type::kInstance, std::move(elements));
  }

  const cim::ClassStore& store_;
};

}  // namespace

Result<cim::ObjectPath> read_path(const Node& node) { return read_path_at(node, 0); }

Result<std::string> read_namespace(const Node& node) {
  std::string name;
  for (const Node& each : node.children) {
    if (each.name == "NAMESPACE") name += (name.empty() ? "" : "/") + each.attribute_or("NAME", "");
  }
  if (!cim::is_namespace_name(name)) return not_valid(node, "it names no namespace");
  return name;
}

Result<Value> read_value(const Node& holder) {
  if (holder.children.empty()) return Value();
  const auto is_value = [](const Node& each) {
    return each.name.starts_with("VALUE") || each.name.ends_with("PATH") || each.name == "INSTANCENAME" ||
           each.name == "CLASSNAME";
  };
  const auto found = std::find_if(holder.children.begin(), holder.children.end(), is_value);
  if (found == holder.children.end()) return Value();
  if (found->name == "VALUE.ARRAY") return read_array(*found, cim::Type::kString);
  if (found->name == "VALUE.REFARRAY") return read_array(*found, cim::Type::kReference);
  COHORT_ASSIGN(Element element, read_element(*found));
  return cim::is_null(element) ? Value() : Value(std::move(element));
}

Result<cim::Instance> read_instance(const Node& node, const cim::ClassStore& store) {
  if (node.name != "INSTANCE") return not_valid(node, "INSTANCE expected");
  return InstanceReader(store).element(node, 0);
}

Result<Value> as_declared(const Value& value, const cim::Declaration& declaration, const cim::ClassStore& store,
                          const std::string& where) {
  return InstanceReader(store).value(value, declaration, where, 0);
}

Result<cim::Instance> read_embedded_instance(std::string_view text, const cim::ClassStore& store) {
  return InstanceReader(store).text(text, 0);
}

}  // namespace cohort::codec::cimxml
