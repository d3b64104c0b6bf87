#include "cim/inherit.h"

namespace cohort::cim {
namespace {

// "Override" and "Abstract" and the like speak of the one declaration, which their flavor (Restricted) says.
Result<void> inherit_qualifiers(std::vector<Qualifier>& own, const std::vector<Qualifier>& inherited,
                                const std::string& where) {
  for (const Qualifier& above : inherited) {
    if (!above.flavor.is_inherited) continue;
    Qualifier* const restated = find_named(own, above.name);
    if (restated == nullptr) {
      own.push_back(above);
      own.back().is_propagated = true;
    } else if (!above.flavor.is_overridable && restated->value != above.value) {
      return fail(ErrorCode::kInvalidArgument, "{}: the qualifier {} may not be changed in a subclass.", where,
                  above.name);
    }
  }
  return {};
}

Result<void> check_override(const Declaration& own, const Declaration& above, const std::string& where) {
  if (own.type != above.type || own.is_array != above.is_array) {
    return fail(ErrorCode::kInvalidArgument, "{}: overrides a {} of another type.", where, to_string(above.type));
  }
  return {};
}

Result<void> override_property(Property& own, const Property& above, const std::string& where) {
  COHORT_TRY(check_override(own, above, where));
  if (own.default_value.is_null()) own.default_value = above.default_value;
  return inherit_qualifiers(own.qualifiers, above.qualifiers, where);
}

Result<void> override_parameter(Parameter& own, const Parameter& above, const std::string& where) {
  COHORT_TRY(check_override(own, above, where));
  return inherit_qualifiers(own.qualifiers, above.qualifiers, where);
}

Result<void> override_method(Method& own, const Method& above, const std::string& where) {
  if (own.return_type != above.return_type) {
    return fail(ErrorCode::kInvalidArgument, "{}: overrides a method that returns {}.", where,
                to_string(above.return_type));
  }
  for (Parameter& parameter : own.parameters) {
    const Parameter* const same = find_named(above.parameters, parameter.name);
    if (same != nullptr) COHORT_TRY(override_parameter(parameter, *same, where + "." + parameter.name));
  }
  return inherit_qualifiers(own.qualifiers, above.qualifiers, where);
}

// The superclass's members first, each replaced by the class's own of the same name.
template <typename Member, typename Override>
Result<std::vector<Member>> inherit_members(std::vector<Member> own, const std::vector<Member>& above,
                                            const std::string& class_name, Override override_member) {
  std::vector<Member> all = above;
  for (Member& member : all) member.is_propagated = true;
  for (Member& member : own) {
    Member* const inherited = find_named(all, member.name);
    if (inherited == nullptr) {
      all.push_back(std::move(member));
      continue;
    }
    COHORT_TRY(override_member(member, *inherited, class_name + "." + member.name));
    *inherited = std::move(member);
  }
  return all;
}

}  // namespace

Result<Class> inherit(Class declared, const Class& superclass) {
  COHORT_TRY(inherit_qualifiers(declared.qualifiers, superclass.qualifiers, declared.name));
  COHORT_ASSIGN(declared.properties, inherit_members(std::move(declared.properties), superclass.properties,
                                                     declared.name, override_property));
  COHORT_ASSIGN(declared.methods,
                inherit_members(std::move(declared.methods), superclass.methods, declared.name, override_method));
  return declared;
}

}  // namespace cohort::cim
