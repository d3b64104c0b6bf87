// Msvm_CollectedSnapshots: the machines' settings in a snapshot of their collection; and
// Msvm_SnapshotOfVirtualSystemCollection: which collection it was taken of.
#pragma once

#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class CollectedSnapshotsProvider final : public AssociationProvider {
 public:
  explicit CollectedSnapshotsProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_CollectedSnapshots"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

// Of collections that are still there.
class SnapshotOfCollectionProvider final : public AssociationProvider {
 public:
  explicit SnapshotOfCollectionProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_SnapshotOfVirtualSystemCollection"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

}  // namespace cohort::provider
