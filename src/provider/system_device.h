// Msvm_SystemDevice: from a machine to its devices.
#pragma once

#include <string_view>

#include "provider/provider.h"
#include "service/ports/machine_control.h"

namespace cohort::provider {

// The only devices that are told of are shutdown components.
class SystemDeviceProvider final : public AssociationProvider {
 public:
  // It outlives the provider.
  explicit SystemDeviceProvider(service::MachineControl& machines) : machines_(machines) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_SystemDevice"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::vector<cim::Instance>> referring_to(const cim::ObjectPath& end) override;

 private:
  service::MachineControl& machines_;
};

}  // namespace cohort::provider
