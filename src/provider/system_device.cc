#include "provider/system_device.h"

#include "provider/found.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

cim::Instance pair_for(const MachineId& machine) {
  return pair_of("Msvm_SystemDevice", "GroupComponent", path_of_machine(machine), "PartComponent",
                 path_of_shutdown_component(machine));
}

}  // namespace

Result<std::vector<cim::Instance>> SystemDeviceProvider::instances() {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  std::vector<cim::Instance> all;
  for (const auto& condition : conditions) {
    if (is_active(condition.activity)) all.push_back(pair_for(condition.id));
  }
  return all;
}

Result<std::vector<cim::Instance>> SystemDeviceProvider::referring_to(const cim::ObjectPath& end) {
  std::vector<cim::Instance> found;
  const bool is_machine = cim::same_name(end.class_name, "Msvm_ComputerSystem");
  const bool is_device = cim::same_name(end.class_name, "Msvm_ShutdownComponent");
  if (!is_machine && !is_device) return found;
  const auto machine = id_in<MachineId>(end, is_machine ? "Name" : "SystemName");
  if (!machine) return found;
  COHORT_ASSIGN(const auto condition, if_found(machines_.condition(*machine)));
  if (condition && is_active(condition->activity)) found.push_back(pair_for(*machine));
  return found;
}

}  // namespace cohort::provider
