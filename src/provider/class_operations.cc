#include "provider/class_operations.h"

#include <string>
#include <vector>

namespace cohort::provider {
namespace {

// The classes below one, or those without a superclass; with all below them if it goes deep.
Outcome<std::vector<const cim::Class*>> classes_below(const std::string& name, bool is_deep,
                                                      const cim::ClassStore& classes) {
  if (!name.empty() && classes.find(name) == nullptr) {
    return failed(cim::Status::kInvalidClass, "There is no class {}.", name);
  }
  return is_deep ? classes.descendants(name) : classes.subclasses(name);
}

}  // namespace

Outcome<cim::Response> answer(const cim::GetClass& get, const cim::ClassStore& classes) {
  const cim::Class* found = classes.find(get.class_name);
  if (found == nullptr) return failed(cim::Status::kNotFound, "There is no class {}.", get.class_name);
  return cim::Classes{{*found}};
}

Outcome<cim::Response> answer(const cim::EnumerateClasses& list, const cim::ClassStore& classes) {
  const auto found = classes_below(list.class_name, list.is_deep, classes);
  if (!found) return tl::unexpected(found.error());
  cim::Classes all;
  for (const cim::Class* each : *found) all.classes.push_back(*each);
  return all;
}

Outcome<cim::Response> answer(const cim::EnumerateClassNames& list, const cim::ClassStore& classes) {
  const auto found = classes_below(list.class_name, list.is_deep, classes);
  if (!found) return tl::unexpected(found.error());
  cim::ClassNames all;
  for (const cim::Class* each : *found) all.names.push_back(each->name);
  return all;
}

Outcome<cim::Response> answer(const cim::GetQualifier& get, const cim::ClassStore& classes) {
  const auto* found = classes.find_qualifier_type(get.name);
  if (found == nullptr) return failed(cim::Status::kNotFound, "There is no qualifier {}.", get.name);
  return cim::QualifierTypes{{*found}};
}

Outcome<cim::Response> answer(const cim::EnumerateQualifiers& /*list*/, const cim::ClassStore& classes) {
  cim::QualifierTypes all;
  all.types.assign(classes.qualifier_types().begin(), classes.qualifier_types().end());
  return all;
}

}  // namespace cohort::provider
