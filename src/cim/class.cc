#include "cim/class.h"

namespace cohort::cim {

bool has_qualifier(const std::vector<Qualifier>& qualifiers, std::string_view name) {
  const Qualifier* const found = find_named(qualifiers, name);
  return found != nullptr && found->value.element() == Element(true);
}

bool is_in(const Parameter& parameter) {
  const Qualifier* const found = find_named(parameter.qualifiers, "In");
  return found == nullptr || found->value.element() != Element(false);
}

std::optional<std::string> embedded_class(const Declaration& declaration) {
  if (declaration.type != Type::kString) return std::nullopt;
  if (const Qualifier* const found = find_named(declaration.qualifiers, "EmbeddedInstance")) {
    if (const auto* const name = found->value.get_if<std::string>()) return *name;
  }
  if (has_qualifier(declaration.qualifiers, "EmbeddedObject")) return "";
  return std::nullopt;
}

Type value_type(const Declaration& declaration) {
  return embedded_class(declaration) ? Type::kInstance : declaration.type;
}

}  // namespace cohort::cim
