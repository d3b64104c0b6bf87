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
void write_instance(xml::Writer& writer, const cim::Instance& instance, UriFamily family,
                    std::string_view namespace_name);
// One property or parameter; `prefix` is that of its class.
void write_value(xml::Writer& writer, std::string_view prefix, const cim::NamedValue& value, UriFamily family,
                 std::string_view namespace_name);

}  // namespace cohort::codec::wsman
