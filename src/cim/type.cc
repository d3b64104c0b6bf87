#include "cim/type.h"

#include <array>
#include <utility>

#include "cim/name.h"

namespace cohort::cim {
namespace {

constexpr std::array<std::pair<Type, std::string_view>, 15> kNames = {{
    {Type::kBoolean, "boolean"},
    {Type::kChar16, "char16"},
    {Type::kUint8, "uint8"},
    {Type::kSint8, "sint8"},
    {Type::kUint16, "uint16"},
    {Type::kSint16, "sint16"},
    {Type::kUint32, "uint32"},
    {Type::kSint32, "sint32"},
    {Type::kUint64, "uint64"},
    {Type::kSint64, "sint64"},
    {Type::kReal32, "real32"},
    {Type::kReal64, "real64"},
    {Type::kString, "string"},
    {Type::kDatetime, "datetime"},
    {Type::kReference, "reference"},
}};

}  // namespace

std::string_view to_string(Type type) {
  for (const auto& [each, name] : kNames) {
    if (each == type) return name;
  }
  return "string";
}

std::optional<Type> type_from(std::string_view name) {
  for (const auto& [type, each] : kNames) {
    if (same_name(each, name)) return type;
  }
  return std::nullopt;
}

}  // namespace cohort::cim
