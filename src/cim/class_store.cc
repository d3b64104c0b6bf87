#include "cim/class_store.h"

#include <algorithm>

#include "cim/inherit.h"
#include "cim/value_text.h"

namespace cohort::cim {
namespace {

constexpr std::size_t kMaxAncestors = 32;

Result<void> check_name(std::string_view name, std::string_view where) {
  if (is_name(name)) return {};
  return fail(ErrorCode::kInvalidArgument, "{}: \"{}\" is no name.", where, name);
}

template <typename List>
Result<void> check_names(const List& list, const std::string& where) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    COHORT_TRY(check_name(list[i].name, where));
    if (find_named(list, list[i].name) != &list[i]) {
      return fail(ErrorCode::kInvalidArgument, "{}: {} is there twice.", where, list[i].name);
    }
  }
  return {};
}

bool is_in_scope(const QualifierType& type, std::initializer_list<std::string_view> scopes) {
  return std::any_of(type.scopes.begin(), type.scopes.end(), [&](const std::string& each) {
    return same_name(each, "any") ||
           std::any_of(scopes.begin(), scopes.end(), [&](std::string_view scope) { return same_name(scope, each); });
  });
}

using Scopes = std::initializer_list<std::string_view>;

// Gives a qualifier its declared type.
Result<void> resolve(Qualifier& qualifier, const ClassStore& store, const std::string& where, Scopes scopes) {
  const QualifierType* const type = store.find_qualifier_type(qualifier.name);
  if (type == nullptr) {
    return fail(ErrorCode::kInvalidArgument, "{}: the qualifier {} is not declared.", where, qualifier.name);
  }
  if (!is_in_scope(*type, scopes)) {
    return fail(ErrorCode::kInvalidArgument, "{}: the qualifier {} may not stand here.", where, qualifier.name);
  }
  auto value = convert(qualifier.value, type->type, type->is_array);
  if (!value) return Failure(std::move(value).error().with_context(where + ", qualifier " + qualifier.name));
  qualifier.name = type->name;
  qualifier.value = *std::move(value);
  return {};
}

Result<void> resolve_all(std::vector<Qualifier>& qualifiers, const ClassStore& store, const std::string& where,
                         Scopes scopes) {
  COHORT_TRY(check_names(qualifiers, where));
  for (Qualifier& each : qualifiers) COHORT_TRY(resolve(each, store, where, scopes));
  return {};
}

Result<void> resolve_property(Property& property, const ClassStore& store, const std::string& class_name) {
  const std::string where = class_name + "." + property.name;
  const bool is_reference = property.type == Type::kReference;
  COHORT_TRY(resolve_all(property.qualifiers, store, where,
                         is_reference ? Scopes{"reference", "property"} : Scopes{"property"}));
  auto value = convert(property.default_value, property.type, property.is_array);
  if (!value) return Failure(std::move(value).error().with_context("reading the default of " + where));
  property.default_value = *std::move(value);
  property.class_origin = class_name;
  return {};
}

Result<void> resolve_method(Method& method, const ClassStore& store, const std::string& class_name) {
  const std::string where = class_name + "." + method.name;
  COHORT_TRY(resolve_all(method.qualifiers, store, where, {"method"}));
  COHORT_TRY(check_names(method.parameters, where));
  for (Parameter& each : method.parameters) {
    COHORT_TRY(resolve_all(each.qualifiers, store, where + "." + each.name, {"parameter"}));
  }
  method.class_origin = class_name;
  return {};
}

Result<void> resolve_class(Class& declared, const ClassStore& store) {
  COHORT_TRY(check_name(declared.name, "A class"));
  COHORT_TRY(resolve_all(declared.qualifiers, store, declared.name, {"class", "association", "indication"}));
  COHORT_TRY(check_names(declared.properties, declared.name));
  COHORT_TRY(check_names(declared.methods, declared.name));
  for (Property& each : declared.properties) COHORT_TRY(resolve_property(each, store, declared.name));
  for (Method& each : declared.methods) COHORT_TRY(resolve_method(each, store, declared.name));
  return {};
}

}  // namespace

Result<void> ClassStore::add(QualifierType type) {
  COHORT_TRY(check_name(type.name, "A qualifier"));
  if (qualifier_index_.contains(type.name)) {
    return fail(ErrorCode::kAlreadyExists, "The qualifier {} is declared already.", type.name);
  }
  COHORT_ASSIGN(type.default_value, convert(type.default_value, type.type, type.is_array));
  qualifier_index_.emplace(type.name, qualifier_types_.size());
  qualifier_types_.push_back(std::move(type));
  return {};
}

Result<void> ClassStore::add(Class declared) {
  if (class_index_.contains(declared.name)) {
    return fail(ErrorCode::kAlreadyExists, "The class {} is there already.", declared.name);
  }
  COHORT_TRY(resolve_class(declared, *this));
  if (!declared.superclass.empty()) {
    const Class* const superclass = find(declared.superclass);
    if (superclass == nullptr) {
      return fail(ErrorCode::kNotFound, "{}: there is no superclass {}.", declared.name, declared.superclass);
    }
    if (superclasses(declared.superclass).size() >= kMaxAncestors) {
      return fail(ErrorCode::kInvalidArgument, "{}: has more than {} ancestors.", declared.name, kMaxAncestors);
    }
    declared.superclass = superclass->name;
    COHORT_ASSIGN(declared, inherit(std::move(declared), *superclass));
  }
  class_index_.emplace(declared.name, classes_.size());
  classes_.push_back(std::move(declared));
  return {};
}

const Class* ClassStore::find(std::string_view name) const {
  const auto found = class_index_.find(name);
  return found == class_index_.end() ? nullptr : &classes_[found->second];
}

const QualifierType* ClassStore::find_qualifier_type(std::string_view name) const {
  const auto found = qualifier_index_.find(name);
  return found == qualifier_index_.end() ? nullptr : &qualifier_types_[found->second];
}

std::vector<std::string> ClassStore::superclasses(std::string_view name) const {
  std::vector<std::string> found;
  for (const Class* each = find(name); each != nullptr && !each->superclass.empty(); each = find(each->superclass)) {
    found.push_back(each->superclass);
  }
  return found;
}

std::vector<const Class*> ClassStore::subclasses(std::string_view name) const {
  std::vector<const Class*> found;
  for (const Class& each : classes_) {
    if (same_name(each.superclass, name)) found.push_back(&each);
  }
  return found;
}

std::vector<const Class*> ClassStore::descendants(std::string_view name) const {
  std::vector<const Class*> found;
  for (const Class& each : classes_) {
    if (!same_name(each.name, name) && (name.empty() || is_a(each.name, name))) found.push_back(&each);
  }
  return found;
}

bool ClassStore::is_a(std::string_view name, std::string_view ancestor) const {
  for (const Class* each = find(name); each != nullptr; each = find(each->superclass)) {
    if (same_name(each->name, ancestor)) return true;
  }
  return false;
}

}  // namespace cohort::cim
