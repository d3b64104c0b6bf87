// Msvm_VirtualSystemSettingData: the configuration of each machine, and those that snapshots of collections keep.
#pragma once

#include "provider/machine_configurations.h"
#include "provider/provider.h"

namespace cohort::provider {

// What the configuration says by itself; of one that a machine has now without what only its condition tells.
[[nodiscard]] cim::Instance virtual_system_settings(const MachineConfiguration& configuration);

// VirtualSystemSubType: Hyper-V's generation 1 has a BIOS, 2 has UEFI.
[[nodiscard]] std::string sub_type_of(const MachineHardware& hardware);

class VirtualSystemSettingDataProvider final : public ClassProvider {
 public:
  // The machines outlive the provider.
  VirtualSystemSettingDataProvider(service::MachineControl& machines, MachineConfigurations configurations)
      : machines_(machines), configurations_(configurations) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_VirtualSystemSettingData"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::optional<cim::Instance>> find(const cim::ObjectPath& path) override;
  // Notes of a machine as it is now, and nothing else.
  [[nodiscard]] Result<void> modify(const cim::Instance& changed, const Caller& caller) override;
  [[nodiscard]] bool finds_one() const override { return true; }
  [[nodiscard]] Result<void> name_all(const std::function<void(const cim::Instance&)>& take) override;

 private:
  // With what the machine's condition tells; nothing if the machine has gone.
  [[nodiscard]] Result<std::optional<cim::Instance>> settings(const MachineConfiguration& configuration);

  service::MachineControl& machines_;
  MachineConfigurations configurations_;
};

}  // namespace cohort::provider
