#include "provider/settings_define_state.h"

#include "provider/found.h"
#include "provider/machine_configurations.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

cim::Instance pair_for(const MachineId& machine) {
  return pair_of("Msvm_SettingsDefineState", "ManagedElement", path_of_machine(machine), "SettingData",
                 path_of_settings(machine));
}

// The machine that either end can be about.
std::optional<MachineId> machine_in(const cim::ObjectPath& end) {
  if (cim::same_name(end.class_name, "Msvm_ComputerSystem")) return id_in<MachineId>(end, "Name");
  const auto key = configuration_key(end);
  return key && !key->snapshot ? std::optional(key->machine) : std::nullopt;
}

}  // namespace

Result<std::vector<cim::Instance>> SettingsDefineStateProvider::instances() {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  std::vector<cim::Instance> all;
  for (const auto& condition : conditions) all.push_back(pair_for(condition.id));
  return all;
}

Result<std::vector<cim::Instance>> SettingsDefineStateProvider::referring_to(const cim::ObjectPath& end) {
  std::vector<cim::Instance> found;
  const auto machine = machine_in(end);
  if (!machine) return found;
  COHORT_ASSIGN(const auto condition, if_found(machines_.condition(*machine)));
  if (condition) found.push_back(pair_for(*machine));
  return found;
}

}  // namespace cohort::provider
