// Msvm_ElementSettingData: the settings of a machine, those that it has and those that snapshots of it keep.
#pragma once

#include "provider/provider.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class ElementSettingDataProvider final : public AssociationProvider {
 public:
  // Both outlive the provider.
  ElementSettingDataProvider(service::MachineControl& machines, service::StateStore& state)
      : machines_(machines), state_(state) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_ElementSettingData"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::MachineControl& machines_;
  service::StateStore& state_;
};

}  // namespace cohort::provider
