// Msvm_ShutdownComponent: through which clients ask a guest to shut down.
#pragma once

#include <string_view>
#include <utility>

#include "provider/service_provider.h"
#include "service/change_power.h"

namespace cohort::provider {

// Each machine that is not off has one.
class ShutdownComponentProvider final : public ClassProvider {
 public:
  // The first two outlive the provider.
  ShutdownComponentProvider(service::MachineControl& machines, service::StateStore& store,
                            ServiceSurroundings surroundings)
      : machines_(machines), power_(machines, store), surroundings_(std::move(surroundings)) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_ShutdownComponent"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::optional<cim::Instance>> find(const cim::ObjectPath& path) override;
  [[nodiscard]] bool finds_one() const override { return true; }
  [[nodiscard]] Right right_for(std::string_view method) const override;
  // InitiateShutdown, as RequestStateChange 4 of the machine. Force and Reason have nobody here to tell them to.
  [[nodiscard]] Result<cim::MethodResult> invoke(const MethodCall& call) override;

 private:
  service::MachineControl& machines_;
  service::ChangePower power_;
  ServiceSurroundings surroundings_;
};

}  // namespace cohort::provider
