#include "provider/provider_set.h"

#include <cassert>

namespace cohort::provider {

void ProviderSet::add(std::unique_ptr<ClassProvider> provider) {
  assert(classes_->find(provider->class_name()) != nullptr);
  const std::string name(provider->class_name());
  [[maybe_unused]] const bool is_new = providers_.emplace(name, std::move(provider)).second;
  assert(is_new);
}

ClassProvider* ProviderSet::find(std::string_view class_name) const {
  const auto found = providers_.find(class_name);
  return found == providers_.end() ? nullptr : found->second.get();
}

std::vector<ClassProvider*> ProviderSet::of_class_and_derived(std::string_view class_name) const {
  std::vector<ClassProvider*> found;
  if (auto* own = find(class_name)) found.push_back(own);
  for (const cim::Class* derived : classes_->descendants(class_name)) {
    if (auto* provider = find(derived->name)) found.push_back(provider);
  }
  return found;
}

std::vector<AssociationProvider*> ProviderSet::associations(std::string_view class_name) const {
  std::vector<AssociationProvider*> found;
  for (ClassProvider* provider : of_class_and_derived(class_name)) {
    if (auto* association = dynamic_cast<AssociationProvider*>(provider)) found.push_back(association);
  }
  return found;
}

}  // namespace cohort::provider
