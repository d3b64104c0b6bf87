// Msvm_ComputerSystem: this host and its machines.
#pragma once

#include <string_view>
#include <utility>

#include "base/clock.h"
#include "provider/service_provider.h"
#include "service/change_power.h"

namespace cohort::provider {

class ComputerSystemProvider final : public ClassProvider {
 public:
  // The first three outlive the provider.
  ComputerSystemProvider(service::MachineControl& machines, service::StateStore& store, const Clock& clock,
                         ServiceSurroundings surroundings)
      : machines_(machines), power_(machines, store), clock_(clock), surroundings_(std::move(surroundings)) {}

  [[nodiscard]] std::string_view class_name() const override { return "Msvm_ComputerSystem"; }
  [[nodiscard]] Result<std::vector<cim::Instance>> instances() override;
  [[nodiscard]] Result<std::optional<cim::Instance>> find(const cim::ObjectPath& path) override;
  [[nodiscard]] bool finds_one() const override { return true; }
  [[nodiscard]] Result<void> name_all(const std::function<void(const cim::Instance&)>& take) override;
  [[nodiscard]] Right right_for(std::string_view method) const override;
  // RequestStateChange: 2 start or resume, 3 turn off, 4 shut down, 9 or 32768 pause, 10 reboot, 11 reset; 32776
  // pausing and 32777 resuming are taken for pause and resume. 0: it is done (4 and 10: the guest has been asked);
  // 32775: the machine is not in a state for it, or it is not offered. There is never a job.
  [[nodiscard]] Result<cim::MethodResult> invoke(const MethodCall& call) override;

 private:
  [[nodiscard]] cim::Instance host() const;
  [[nodiscard]] cim::Instance machine(const MachineCondition& condition) const;
  [[nodiscard]] Result<void> request(const MachineId& machine, std::uint16_t state);
  [[nodiscard]] bool is_host(std::string_view name) const { return cim::same_name(name, surroundings_.host_name); }

  service::MachineControl& machines_;
  service::ChangePower power_;
  const Clock& clock_;
  ServiceSurroundings surroundings_;
};

}  // namespace cohort::provider
