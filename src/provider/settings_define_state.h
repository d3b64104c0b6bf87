// Msvm_SettingsDefineState: a machine, and the configuration that it has now.
#pragma once

#include "provider/provider.h"
#include "service/ports/machine_control.h"

namespace cohort::provider {

class SettingsDefineStateProvider final : public AssociationProvider {
 public:
  // The machines outlive the provider.
  explicit SettingsDefineStateProvider(service::MachineControl& machines) : machines_(machines) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_SettingsDefineState"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::vector<cim::Instance>> referring_to(const cim::ObjectPath& end) override;

 private:
  service::MachineControl& machines_;
};

}  // namespace cohort::provider
