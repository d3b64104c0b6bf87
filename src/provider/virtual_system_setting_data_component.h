// Msvm_VirtualSystemSettingDataComponent: a configuration, and the settings of its parts.
#pragma once

#include "provider/machine_configurations.h"
#include "provider/provider.h"

namespace cohort::provider {

class VirtualSystemSettingDataComponentProvider final : public AssociationProvider {
 public:
  explicit VirtualSystemSettingDataComponentProvider(MachineConfigurations configurations)
      : configurations_(configurations) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_VirtualSystemSettingDataComponent"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::vector<cim::Instance>> referring_to(const cim::ObjectPath& end) override;

 private:
  MachineConfigurations configurations_;
};

}  // namespace cohort::provider
