// Msvm_ServiceAffectsElement: what each service manages.
#pragma once

#include <string>
#include <utility>

#include "provider/provider.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class ServiceAffectsElementProvider final : public AssociationProvider {
 public:
  // The first two outlive the provider.
  ServiceAffectsElementProvider(service::MachineControl& machines, service::StateStore& state, std::string host_name)
      : machines_(machines), state_(state), host_name_(std::move(host_name)) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_ServiceAffectsElement"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;

 private:
  service::MachineControl& machines_;
  service::StateStore& state_;
  std::string host_name_;
};

}  // namespace cohort::provider
