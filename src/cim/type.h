// The types of CIM (DSP0004 5.2).
#pragma once

#include <optional>
#include <string_view>

namespace cohort::cim {

// In the order of the alternatives of cim::Element.
enum class Type {
  kNone,  // of a value whose type nobody said
  kBoolean,
  kChar16,
  kUint8,
  kSint8,
  kUint16,
  kSint16,
  kUint32,
  kSint32,
  kUint64,
  kSint64,
  kReal32,
  kReal64,
  kString,
  kDatetime,
  kReference,
  kInstance,  // of the value of a string that is declared EmbeddedInstance or EmbeddedObject
};

// "uint16"; "string" for an embedded instance, since that is how it is declared.
[[nodiscard]] std::string_view to_string(Type type);
// The type of that name, in any case of letters; nothing for names that declare none ("ref" is "reference").
[[nodiscard]] std::optional<Type> type_from(std::string_view name);

[[nodiscard]] constexpr bool is_integer(Type type) { return type >= Type::kUint8 && type <= Type::kSint64; }
[[nodiscard]] constexpr bool is_real(Type type) { return type == Type::kReal32 || type == Type::kReal64; }
[[nodiscard]] constexpr bool is_numeric(Type type) { return is_integer(type) || is_real(type); }

}  // namespace cohort::cim
