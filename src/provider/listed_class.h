// Classes of few instances, which are made when somebody asks.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "provider/provider.h"

namespace cohort::provider {

using ListInstances = std::function<Result<std::vector<cim::Instance>>()>;

// Kind: ClassProvider, or AssociationProvider.
template <typename Kind>
class Listed final : public Kind {
 public:
  // `list` is called from several threads at once.
  Listed(std::string class_name, ListInstances list) : class_name_(std::move(class_name)), list_(std::move(list)) {}

  [[nodiscard]] std::string_view class_name() const override { return class_name_; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override { return list_(); }

 private:
  std::string class_name_;
  ListInstances list_;
};

using ListedClass = Listed<ClassProvider>;
using ListedAssociation = Listed<AssociationProvider>;

}  // namespace cohort::provider
