// What those who look after machines from afar need of a hypervisor: how machines are, what they consist of, and power.
// A part of the port Hypervisor.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "domain/machine_condition.h"
#include "domain/machine_hardware.h"

namespace cohort::service {

// Threads and errors: as Hypervisor.
class MachineControl {
 public:
  virtual ~MachineControl() = default;

  [[nodiscard]] virtual Result<std::vector<MachineCondition>> conditions() = 0;  // by name
  [[nodiscard]] virtual Result<MachineCondition> condition(const MachineId& id) = 0;

  // Of the running machine if it runs, else of its definition.
  [[nodiscard]] virtual Result<MachineHardware> hardware(const MachineId& id) = 0;
  // The same of a configuration that a snapshot keeps. The text may come from a stranger: kCorrupt names what is wrong.
  [[nodiscard]] virtual Result<MachineHardware> hardware_in(const std::string& configuration) = 0;

  // What a machine's owner has written about it (MachineHardware::description): of the machine as it runs and of its
  // definition. An empty text is none. kInvalidArgument if it is longer than MachineHardware::kMaxText.
  [[nodiscard]] virtual Result<void> describe(const MachineId& id, const std::string& description) = 0;

  // Carries out a user's order; kInvalidState, nothing changed, if the machine is not in a state for it (it runs
  // already, it is off, …). After kShutDown and kReboot the guest has been asked, and does it in its own time, or not
  // at all. It is not for the fence, which has Hypervisor::suspend and resume: this knows nothing of who made a machine
  // stand still.
  [[nodiscard]] virtual Result<void> change_power(const MachineId& id, PowerChange change) = 0;
};

}  // namespace cohort::service
