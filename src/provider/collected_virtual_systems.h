// Msvm_CollectedVirtualSystems and Msvm_CollectedCollections: the members of collections.
#pragma once

#include "domain/collection.h"
#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// Members that no longer exist as machines are listed with the path that they had.
class CollectionMemberProvider final : public AssociationProvider {
 public:
  // Of the members of collections of one kind.
  CollectionMemberProvider(CollectionKind kind, service::StateStore& state) : kind_(kind), state_(state) {}

  [[nodiscard]] std::string_view class_name() const override;
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  CollectionKind kind_;
  service::StateStore& state_;
};

}  // namespace cohort::provider
