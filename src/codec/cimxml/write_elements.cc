#include <algorithm>

#include "cim/object_path.h"
#include "cim/value_text.h"
#include "codec/cimxml/elements.h"
#include "codec/cimxml/embedded_instance.h"

namespace cohort::codec::cimxml {
namespace {

using cim::Element;
using cim::Type;
using cim::Value;
using xml::Writer;

std::string_view boolean(bool value) { return value ? "true" : "false"; }

std::string_view value_kind(Type type) {
  if (type == Type::kBoolean) return "boolean";
  return cim::is_numeric(type) ? "numeric" : "string";
}

void write_path(Writer& writer, const cim::ObjectPath& path) {
  if (path.is_class()) {
    writer.open("CLASSNAME").attribute("NAME", path.class_name).close();
  } else if (path.namespace_name.empty()) {
    write_instance_name(writer, path);
  } else if (path.host.empty()) {
    writer.open("LOCALINSTANCEPATH");
    write_namespace(writer, path.namespace_name);
    write_instance_name(writer, path);
    writer.close();
  } else {
    write_instance_path(writer, path);
  }
}

void write_element(Writer& writer, const Element& element) {
  if (const auto* const path = std::get_if<cim::Shared<cim::ObjectPath>>(&element)) {
    writer.open("VALUE.REFERENCE");
    write_path(writer, **path);
    writer.close();
  } else if (const auto* const instance = std::get_if<cim::Shared<cim::Instance>>(&element)) {
    writer.element("VALUE", embedded_text(**instance));
  } else if (cim::is_null(element)) {
    writer.open("VALUE.NULL").close();
  } else {
    writer.element("VALUE", cim::to_text(element));
  }
}

std::string suffix_of(Type type, bool is_array) {
  if (type == Type::kReference) return is_array ? ".REFARRAY" : ".REFERENCE";
  return is_array ? ".ARRAY" : "";
}

void write_qualifiers(Writer& writer, const std::vector<cim::Qualifier>& qualifiers, const ClassStyle& style) {
  if (!style.has_qualifiers) return;
  for (const cim::Qualifier& each : qualifiers) {
    if (style.is_local_only && each.is_propagated) continue;
    writer.open("QUALIFIER").attribute("NAME", each.name).attribute("TYPE", to_string(each.value.type()));
    if (each.is_propagated) writer.attribute("PROPAGATED", "true");
    if (!each.flavor.is_overridable) writer.attribute("OVERRIDABLE", "false");
    if (!each.flavor.is_inherited) writer.attribute("TOSUBCLASS", "false");
    if (each.flavor.is_translatable) writer.attribute("TRANSLATABLE", "true");
    write_value(writer, each.value);
    writer.close();
  }
}

// What properties and methods say of their class.
template <typename Member>
void write_origin(Writer& writer, const Member& member, const ClassStyle& style) {
  if (style.has_class_origin) writer.attribute("CLASSORIGIN", member.class_origin);
  if (member.is_propagated) writer.attribute("PROPAGATED", "true");
}

void write_shape(Writer& writer, const cim::Declaration& declaration) {
  if (declaration.type != Type::kReference) {
    writer.attribute("TYPE", to_string(declaration.type));
  } else {
    writer.attribute("REFERENCECLASS", declaration.reference_class);
  }
  if (declaration.array_size) writer.attribute("ARRAYSIZE", std::to_string(*declaration.array_size));
}

void write_property(Writer& writer, const cim::Property& property, const ClassStyle& style) {
  writer.open("PROPERTY" + suffix_of(property.type, property.is_array)).attribute("NAME", property.name);
  write_shape(writer, property);
  write_origin(writer, property, style);
  const auto embedded = cim::embedded_class(property);
  if (embedded) writer.attribute("EmbeddedObject", embedded->empty() ? "object" : "instance");
  write_qualifiers(writer, property.qualifiers, style);
  write_value(writer, property.default_value);
  writer.close();
}

void write_method(Writer& writer, const cim::Method& method, const ClassStyle& style) {
  writer.open("METHOD").attribute("NAME", method.name).attribute("TYPE", to_string(method.return_type));
  write_origin(writer, method, style);
  write_qualifiers(writer, method.qualifiers, style);
  for (const cim::Parameter& each : method.parameters) {
    const std::string suffix = suffix_of(each.type, each.is_array);
    writer.open("PARAMETER" + suffix).attribute("NAME", each.name);
    write_shape(writer, each);
    write_qualifiers(writer, each.qualifiers, style);
    writer.close();
  }
  writer.close();
}

}  // namespace

void write_namespace(Writer& writer, std::string_view namespace_name) {
  writer.open("LOCALNAMESPACEPATH");
  while (!namespace_name.empty()) {
    const std::size_t slash = namespace_name.find('/');
    writer.open("NAMESPACE").attribute("NAME", namespace_name.substr(0, slash)).close();
    namespace_name = slash == std::string_view::npos ? std::string_view() : namespace_name.substr(slash + 1);
  }
  writer.close();
}

void write_instance_name(Writer& writer, const cim::ObjectPath& path) {
  writer.open("INSTANCENAME").attribute("CLASSNAME", path.class_name);
  for (const cim::NamedValue& key : path.keys) {
    writer.open("KEYBINDING").attribute("NAME", key.name);
    if (key.value.reference() != nullptr) {
      write_element(writer, key.value.element());
    } else {
      // Without TYPE, an attribute at which sfcc ends its process; keys are strings or references.
      writer.open("KEYVALUE").attribute("VALUETYPE", value_kind(key.value.type()));
      writer.text(cim::to_text(key.value.element())).close();
    }
    writer.close();
  }
  writer.close();
}

void write_instance_path(Writer& writer, const cim::ObjectPath& path) {
  writer.open("INSTANCEPATH").open("NAMESPACEPATH").element("HOST", path.host);
  write_namespace(writer, path.namespace_name);
  writer.close();
  write_instance_name(writer, path);
  writer.close();
}

void write_value(Writer& writer, const Value& value) {
  if (value.is_null()) return;
  if (!value.is_array()) return write_element(writer, value.element());
  writer.open(value.type() == Type::kReference ? "VALUE.REFARRAY" : "VALUE.ARRAY");
  for (const Element& each : value.elements()) write_element(writer, each);
  writer.close();
}

void write_instance(Writer& writer, const cim::Instance& instance) {
  writer.open("INSTANCE").attribute("CLASSNAME", instance.class_name);
  for (const cim::NamedValue& each : instance.properties) {
    const Value& value = each.value;
    writer.open("PROPERTY" + suffix_of(value.type(), value.is_array())).attribute("NAME", each.name);
    if (value.type() != Type::kReference) writer.attribute("TYPE", to_string(value.type()));
    if (value.type() == Type::kInstance) writer.attribute("EmbeddedObject", "instance");
    write_value(writer, value);
    writer.close();
  }
  writer.close();
}

void write_class(Writer& writer, const cim::Class& c, const ClassStyle& style) {
  writer.open("CLASS").attribute("NAME", c.name);
  if (!c.superclass.empty()) writer.attribute("SUPERCLASS", c.superclass);
  if (!style.derivation.empty()) writer.attribute("DERIVATION", style.derivation);
  write_qualifiers(writer, c.qualifiers, style);
  for (const cim::Property& each : c.properties) {
    if (!style.is_local_only || !each.is_propagated) write_property(writer, each, style);
  }
  for (const cim::Method& each : c.methods) {
    if (!style.is_local_only || !each.is_propagated) write_method(writer, each, style);
  }
  writer.close();
}

void write_qualifier_type(Writer& writer, const cim::QualifierType& type) {
  writer.open("QUALIFIER.DECLARATION").attribute("NAME", type.name).attribute("TYPE", to_string(type.type));
  writer.attribute("ISARRAY", boolean(type.is_array)).attribute("OVERRIDABLE", boolean(type.flavor.is_overridable));
  writer.attribute("TOSUBCLASS", boolean(type.flavor.is_inherited));
  writer.attribute("TRANSLATABLE", boolean(type.flavor.is_translatable)).open("SCOPE");
  for (const std::string_view scope :
       {"CLASS", "ASSOCIATION", "REFERENCE", "PROPERTY", "METHOD", "PARAMETER", "INDICATION"}) {
    const bool is_in = std::any_of(type.scopes.begin(), type.scopes.end(), [&](const std::string& each) {
      return cim::same_name(each, scope) || cim::same_name(each, "any");
    });
    writer.attribute(scope, boolean(is_in));
  }
  writer.close();
  write_value(writer, type.default_value);
  writer.close();
}

std::string embedded_text(const cim::Instance& instance) {
  Writer writer;
  write_instance(writer, instance);
  return writer.take();
}

}  // namespace cohort::codec::cimxml
