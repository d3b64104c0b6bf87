// Starts, stops, pauses and resumes a machine by order of a user.
#pragma once

#include "base/result.h"
#include "service/ports/machine_control.h"
#include "service/ports/state_store.h"

namespace cohort::service {

class ChangePower {
 public:
  // The two must outlive this object.
  ChangePower(MachineControl& machines, StateStore& store) : machines_(machines), store_(store) {}

  // As MachineControl::change_power; kInUse, nothing changed, while a snapshot of the machine is being taken: the fence
  // would take back what was ordered, or be broken by it.
  // (Between that look and the order a snapshot may begin. It notices then that the machine is not as it left it, and
  // fails with every member running, as with orders that are given past Cohort.)
  [[nodiscard]] Result<void> run(const MachineId& machine, PowerChange change);

 private:
  MachineControl& machines_;
  StateStore& store_;
};

}  // namespace cohort::service
