// Instances and paths as their class declares them. Decoders use it on what clients send; providers may rely on it.
#pragma once

#include "base/result.h"
#include "cim/class_store.h"

namespace cohort::cim {

// An instance with every property of the class, in its order, at the defaults.
[[nodiscard]] Instance make_instance(const Class& of);

// The path of an instance: its class and the values of its keys. The host is left empty.
[[nodiscard]] ObjectPath path_of(const Instance& instance, const Class& of, std::string_view namespace_name);

// The instance with the values in the declared types and the names as they are declared.
// Fails with kInvalidArgument, with the class and the property, for a property that the class does not have, a value
// that is not of its type, an embedded instance of another class or nested too deep; kNotFound if there is no such
// class.
[[nodiscard]] Result<Instance> typed(const Instance& instance, const ClassStore& store);

// One value, as a property or parameter is declared; `where` is named in the error.
[[nodiscard]] Result<Value> typed(const Value& value, const Declaration& declaration, const ClassStore& store,
                                  const std::string& where);

// The path with its keys in the declared types, and the only key named. A path may name fewer keys than there are; see
// missing_keys. Keys of `class_name`s that are not in the store stay as they are.
// Fails with kInvalidArgument, with the class and the key: no key of the class, or not of its type.
[[nodiscard]] Result<ObjectPath> typed(const ObjectPath& path, const ClassStore& store);

// The names of the keys of the path's class that the path does not have.
[[nodiscard]] std::vector<std::string> missing_keys(const ObjectPath& path, const Class& of);

// Without the properties that are not wanted; nothing is removed if the list is not there.
void keep_properties(Instance& instance, const std::optional<std::vector<std::string>>& wanted);

}  // namespace cohort::cim
