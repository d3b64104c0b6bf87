// What the parameters of a call name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "provider/paths.h"
#include "provider/provider.h"

namespace cohort::provider {

// kInvalidArgument, with the parameter's name, where one that is needed was not given, or is not what it has to be.
[[nodiscard]] Result<std::string> text_of(const MethodCall& call, std::string_view parameter);
[[nodiscard]] Result<cim::ObjectPath> reference_of(const MethodCall& call, std::string_view parameter);
// nullptr if the parameter was not given, or is an empty text.
[[nodiscard]] Result<const cim::Instance*> settings_of(const MethodCall& call, std::string_view parameter);

// The value of a property of settings; the default if it is NULL, or there are no settings.
template <typename T>
[[nodiscard]] T setting(const cim::Instance* settings, std::string_view name, T otherwise) {
  const T* value = settings == nullptr ? nullptr : settings->at(name).get_if<T>();
  return value == nullptr ? otherwise : *value;
}

// The id of what a path names, whose class has that key. kInvalidArgument: the path has none, or no UUID.
template <typename Id>
[[nodiscard]] Result<Id> id_of(const cim::ObjectPath& path, std::string_view key) {
  const auto id = id_in<Id>(path, key);
  if (!id) return fail(ErrorCode::kInvalidArgument, "The path of a {} has a UUID as {}.", path.class_name, key);
  return *id;
}
template <typename Id>
[[nodiscard]] Result<Id> id_of(const MethodCall& call, std::string_view parameter, std::string_view key) {
  COHORT_ASSIGN(const cim::ObjectPath path, reference_of(call, parameter));
  return id_of<Id>(path, key);
}

}  // namespace cohort::provider
