// The associations of reference points: Msvm_CollectedReferencePoints (of machines in those of collections),
// Msvm_ReferencePointOfVirtualSystemCollection and Msvm_ReferencePointOfVirtualSystem (what they were made of).
#pragma once

#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class CollectedReferencePointsProvider final : public AssociationProvider {
 public:
  explicit CollectedReferencePointsProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_CollectedReferencePoints"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

// Of collections that are still there.
class ReferencePointOfCollectionProvider final : public AssociationProvider {
 public:
  explicit ReferencePointOfCollectionProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_ReferencePointOfVirtualSystemCollection"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

class ReferencePointOfMachineProvider final : public AssociationProvider {
 public:
  explicit ReferencePointOfMachineProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_ReferencePointOfVirtualSystem"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

}  // namespace cohort::provider
