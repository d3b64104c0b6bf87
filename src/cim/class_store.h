// The classes and qualifier types of one namespace, with all that they inherit.
//
// Threads: a store that is no longer added to may be read by any number of threads. What it hands out lives as long as
// it.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cim/class.h"

namespace cohort::cim {

class ClassStore {
 public:
  // Fails with kAlreadyExists, or kInvalidArgument for a default that is not of the type.
  [[nodiscard]] Result<void> add(QualifierType type);

  // Adds a class as it is declared: what it inherits is filled in here (properties and methods in the superclass's
  // order, then its own; qualifiers by their flavors). Fails with kAlreadyExists, kNotFound (superclass), or
  // kInvalidArgument: a qualifier that is not declared or is not of its type, an override that changes a type or a
  // qualifier that may not be, a name twice, too long a line of ancestors.
  [[nodiscard]] Result<void> add(Class declared);

  // The class with what it inherits; nullptr if there is none of that name.
  [[nodiscard]] const Class* find(std::string_view name) const;
  [[nodiscard]] const QualifierType* find_qualifier_type(std::string_view name) const;

  // All classes, each after its superclass, in the order in which they were added.
  [[nodiscard]] const std::deque<Class>& classes() const { return classes_; }
  [[nodiscard]] const std::deque<QualifierType>& qualifier_types() const { return qualifier_types_; }

  // Names, nearest first: the superclass, its superclass…
  [[nodiscard]] std::vector<std::string> superclasses(std::string_view name) const;
  // The classes that are derived directly, or at any distance; of "", those without a superclass, or all.
  [[nodiscard]] std::vector<const Class*> subclasses(std::string_view name) const;
  [[nodiscard]] std::vector<const Class*> descendants(std::string_view name) const;
  // True if the class is the other, or derived from it.
  [[nodiscard]] bool is_a(std::string_view name, std::string_view ancestor) const;

 private:
  // Indices, so that the store may be moved and copied.
  NameMap<std::size_t> class_index_;
  NameMap<std::size_t> qualifier_index_;
  std::deque<Class> classes_;
  std::deque<QualifierType> qualifier_types_;
};

}  // namespace cohort::cim
