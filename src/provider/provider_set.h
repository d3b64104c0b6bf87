// The providers of one namespace, by class.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "cim/class_store.h"
#include "provider/provider.h"

namespace cohort::provider {

class ProviderSet {
 public:
  // The classes outlive the set.
  explicit ProviderSet(const cim::ClassStore& classes) : classes_(&classes) {}

  // REQUIRES: the provider's class is one of the namespace's, and has no other provider.
  void add(std::unique_ptr<ClassProvider> provider);

  [[nodiscard]] const cim::ClassStore& classes() const { return *classes_; }
  // nullptr if the class has none: it has no instances of its own then.
  [[nodiscard]] ClassProvider* find(std::string_view class_name) const;
  // Of the class and of those that are derived from it, in the order of the schema.
  [[nodiscard]] std::vector<ClassProvider*> of_class_and_derived(std::string_view class_name) const;
  // Associations that are, or are derived from, a class; all, if it is "".
  [[nodiscard]] std::vector<AssociationProvider*> associations(std::string_view class_name) const;

 private:
  const cim::ClassStore* classes_;
  cim::NameMap<std::unique_ptr<ClassProvider>> providers_;
};

}  // namespace cohort::provider
