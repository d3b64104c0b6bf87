// Values, instances and endpoint references in the XML of WS-Management (DSP0230).
#pragma once

#include <string>

#include "base/result.h"
#include "cim/class_store.h"
#include "codec/wsman/resource_uri.h"
#include "codec/xml/node.h"
#include "codec/xml/writer.h"

namespace cohort::codec::wsman {

inline constexpr std::string_view kAddressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
inline constexpr std::string_view kWsman = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
inline constexpr std::string_view kAnonymous = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";

// How values are written.
struct Notation {
  UriFamily family = UriFamily::kWmi;
  std::string_view namespace_name = {};  // of instances, and of references that name none
  // Whether an array that is NULL, one that is empty and one with NULL for its only element are told apart, by
  // attributes of Windows with the prefix "msftwinrm".
  bool has_precise_arrays = false;
};
// What the context of a list ends with whose arrays are so: a client may say it in the Enumerate alone.
inline constexpr std::string_view kArraysOfContext = ";arrays";

// The path that an endpoint reference names: Address and ReferenceParameters, wrapped in an EndpointReference or not.
// Selector values are text, or references, to cim::kMaxNesting. Fails with kInvalidArgument.
[[nodiscard]] Result<cim::ObjectPath> read_reference(const xml::Node& holder);
// Selectors as keys; "__cimnamespace" is the namespace.
[[nodiscard]] Result<void> read_selectors(const xml::Node& set, cim::ObjectPath& path);

// The property or parameter that elements of one name stand for, as it is declared. References may come as instances
// with their keys, embedded instances as elements or as text in any dialect, times in any of their forms. Fails with
// kInvalidArgument.
[[nodiscard]] Result<cim::Value> read_elements(const std::vector<const xml::Node*>& elements,
                                               const cim::Declaration& declaration, const cim::ClassStore& store,
                                               const std::string& where);
// The element of an instance, as its class declares it; `class_name` counts, not the element's own name.
[[nodiscard]] Result<cim::Instance> read_instance(const xml::Node& element, std::string_view class_name,
                                                  const cim::ClassStore& store);

// <a:Address/><a:ReferenceParameters/>, into the element that is open.
void write_reference(xml::Writer& writer, const cim::ObjectPath& path, UriFamily family);
// <p:Class xmlns:p="…" xsi:type="p:Class_Type">: all properties that the instance has, NULL as xsi:nil.
void write_instance(xml::Writer& writer, const cim::Instance& instance, const Notation& notation);
// One property or parameter; `prefix` is that of its class.
void write_value(xml::Writer& writer, std::string_view prefix, const cim::NamedValue& value, const Notation& notation);

}  // namespace cohort::codec::wsman
