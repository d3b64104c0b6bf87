// Msvm_SnapshotOfVirtualSystem: a machine, and what each snapshot keeps of it. Msvm_MostCurrentSnapshotInBranch: the
// one of these that the machine goes on from, since it was taken or applied last.
#pragma once

#include "provider/provider.h"
#include "service/ports/machine_control.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class SnapshotOfVirtualSystemProvider final : public AssociationProvider {
 public:
  enum class Which { kAll, kCurrent };

  // Both outlive the provider.
  SnapshotOfVirtualSystemProvider(Which which, service::MachineControl& machines, service::StateStore& store)
      : which_(which), machines_(machines), store_(store) {}

  [[nodiscard]] std::string_view class_name() const override;
  // Of machines that are there.
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  Which which_;
  service::MachineControl& machines_;
  service::StateStore& store_;
};

}  // namespace cohort::provider
