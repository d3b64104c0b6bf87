// Declarations: qualifiers, properties, methods, classes (DSP0004 5.5 and 5.6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cim/value.h"

namespace cohort::cim {

struct Flavor {
  bool is_overridable = true;    // EnableOverride, DisableOverride
  bool is_inherited = true;      // ToSubclass, Restricted
  bool is_translatable = false;  // Translatable
  friend bool operator==(const Flavor&, const Flavor&) = default;
};

struct Qualifier {
  std::string name;
  Value value;
  Flavor flavor;
  bool is_propagated = false;  // from the superclass
  friend bool operator==(const Qualifier&, const Qualifier&) = default;
};

// What qualifiers of a name are: "Qualifier Key : boolean = false, Scope(property, reference),
// Flavor(DisableOverride);"
struct QualifierType {
  std::string name;
  Type type = Type::kBoolean;
  bool is_array = false;
  Value default_value;
  std::vector<std::string> scopes;  // "class", "association", "property", …, or "any"
  Flavor flavor;
};

// What properties, parameters and the like have in common.
struct Declaration {
  std::string name;
  Type type = Type::kString;
  bool is_array = false;
  std::optional<std::uint32_t> array_size;  // of an array of fixed size
  std::string reference_class;              // of a reference
  std::vector<Qualifier> qualifiers;
};

struct Property : Declaration {
  Value default_value;
  std::string class_origin;  // the class that declared or last overrode it
  bool is_propagated = false;
};

using Parameter = Declaration;

struct Method {
  std::string name;
  Type return_type = Type::kUint32;
  std::vector<Parameter> parameters;
  std::vector<Qualifier> qualifiers;
  std::string class_origin;
  bool is_propagated = false;
};

struct Class {
  std::string name;
  std::string superclass;  // empty if there is none
  std::vector<Qualifier> qualifiers;
  std::vector<Property> properties;
  std::vector<Method> methods;
};

// True if the boolean qualifier of that name is there and true.
[[nodiscard]] bool has_qualifier(const std::vector<Qualifier>& qualifiers, std::string_view name);

[[nodiscard]] inline bool is_key(const Property& property) { return has_qualifier(property.qualifiers, "Key"); }
[[nodiscard]] inline bool is_association(const Class& c) { return has_qualifier(c.qualifiers, "Association"); }
[[nodiscard]] inline bool is_abstract(const Class& c) { return has_qualifier(c.qualifiers, "Abstract"); }
// "In" holds unless it is said to be false (DSP0004 5.6.3.24).
[[nodiscard]] bool is_in(const Parameter& parameter);
[[nodiscard]] inline bool is_out(const Parameter& parameter) { return has_qualifier(parameter.qualifiers, "Out"); }

// Of a string that holds instances: the class that EmbeddedInstance names, or "" for EmbeddedObject. Nothing of others.
[[nodiscard]] std::optional<std::string> embedded_class(const Declaration& declaration);

// The type that values of the declaration have in this program: kInstance for strings that hold instances.
[[nodiscard]] Type value_type(const Declaration& declaration);

}  // namespace cohort::cim
