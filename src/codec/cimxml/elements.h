// The elements of CIM-XML that stand for paths, values, instances and classes (DSP0201).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cim/class_store.h"
#include "codec/xml/node.h"
#include "codec/xml/writer.h"

namespace cohort::codec::cimxml {

// --- reading: kInvalidArgument for elements that are not as they should be
// ---------------------------------------------

// Any of INSTANCENAME, LOCALINSTANCEPATH, INSTANCEPATH, CLASSNAME, LOCALCLASSPATH, CLASSPATH, and VALUE.REFERENCE
// around one of them. Key values are text, or references, to cim::kMaxNesting; see cim::typed.
[[nodiscard]] Result<cim::ObjectPath> read_path(const xml::Node& node);

// LOCALNAMESPACEPATH: "root/virtualization/v2".
[[nodiscard]] Result<std::string> read_namespace(const xml::Node& node);

// The VALUE, VALUE.ARRAY, VALUE.REFERENCE or VALUE.REFARRAY in an element, untyped: text and references. NULL if there
// is none. A VALUE.NULL in an array is NULL.
[[nodiscard]] Result<cim::Value> read_value(const xml::Node& holder);

// An INSTANCE as its class declares it. Qualifiers and system properties ("__PATH") are left out; a property that the
// class does not have is an error that names it.
[[nodiscard]] Result<cim::Instance> read_instance(const xml::Node& node, const cim::ClassStore& store);

// A value as a property or parameter declares it; text where instances are declared is read in any dialect of
// embedded_instance.h.
[[nodiscard]] Result<cim::Value> as_declared(const cim::Value& value, const cim::Declaration& declaration,
                                             const cim::ClassStore& store, const std::string& where);

// --- writing
// ------------------------------------------------------------------------------------------------------------

void write_namespace(xml::Writer& writer, std::string_view namespace_name);
void write_instance_name(xml::Writer& writer, const cim::ObjectPath& path);
// REQUIRES: host and namespace are there.
void write_instance_path(xml::Writer& writer, const cim::ObjectPath& path);
void write_value(xml::Writer& writer, const cim::Value& value);
void write_instance(xml::Writer& writer, const cim::Instance& instance);

struct ClassStyle {
  bool is_local_only = false;
  bool has_qualifiers = true;
  bool has_class_origin = false;
  std::string derivation;  // "Superclass,Its superclass"; empty: not written
};
void write_class(xml::Writer& writer, const cim::Class& c, const ClassStyle& style);
void write_qualifier_type(xml::Writer& writer, const cim::QualifierType& type);

}  // namespace cohort::codec::cimxml
