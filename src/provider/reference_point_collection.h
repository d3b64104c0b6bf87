// Msvm_ReferencePointCollection: the reference points of collections; Msvm_VirtualSystemReferencePoint: what is known
// of each machine's disks in them.
#pragma once

#include "domain/snapshot.h"
#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class ReferencePointCollectionProvider final : public ClassProvider {
 public:
  explicit ReferencePointCollectionProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_ReferencePointCollection"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

class VirtualSystemReferencePointProvider final : public ClassProvider {
 public:
  explicit VirtualSystemReferencePointProvider(service::StateStore& state) : state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_VirtualSystemReferencePoint"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::StateStore& state_;
};

// The reference points that clients are shown.
[[nodiscard]] Result<std::vector<Snapshot>> ready_reference_points(service::StateStore& state);

}  // namespace cohort::provider
