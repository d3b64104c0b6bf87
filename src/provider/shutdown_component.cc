#include "provider/shutdown_component.h"

#include <algorithm>

#include "provider/found.h"
#include "provider/machine_state.h"
#include "provider/paths.h"
#include "provider/power_order.h"

namespace cohort::provider {
namespace {

cim::Instance component_of(const MachineCondition& condition) {
  const cim::ObjectPath path = path_of_shutdown_component(condition.id);
  cim::Instance component;
  component.class_name = path.class_name;
  for (const auto& key : path.keys) component.set(key.name, key.value);
  component.set("OperationalStatus", cim::Value::array_of(operational_status(condition.activity)));
  return component;
}

// In any case of letters: clients write the UUIDs in these as they like.
bool has_keys(const cim::Instance& component, const cim::ObjectPath& path) {
  return std::ranges::all_of(path.keys, [&](const cim::NamedValue& key) {
    const auto* given = key.value.get_if<std::string>();
    const auto* own = component.at(key.name).get_if<std::string>();
    return given != nullptr && own != nullptr && cim::same_name(*given, *own);
  });
}

}  // namespace

Result<std::vector<cim::Instance>> ShutdownComponentProvider::instances() {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  std::vector<cim::Instance> all;
  for (const auto& condition : conditions) {
    if (is_active(condition.activity)) all.push_back(component_of(condition));
  }
  return all;
}

Result<std::optional<cim::Instance>> ShutdownComponentProvider::find(const cim::ObjectPath& path) {
  const auto machine = id_in<MachineId>(path, "SystemName");
  if (!machine) return std::nullopt;
  COHORT_ASSIGN(const auto condition, if_found(machines_.condition(*machine)));
  if (!condition || !is_active(condition->activity)) return std::nullopt;
  auto component = component_of(*condition);
  if (!has_keys(component, path)) return std::nullopt;
  return component;
}

Right ShutdownComponentProvider::right_for(std::string_view /*method*/) const { return Right::kOperate; }

Result<cim::MethodResult> ShutdownComponentProvider::invoke(const MethodCall& call) {
  if (!cim::same_name(call.method, "InitiateShutdown")) return ClassProvider::invoke(call);
  const auto machine = id_in<MachineId>(call.object, "SystemName");
  if (!machine) return ClassProvider::invoke(call);
  return outcome_of_order(power_.run(*machine, PowerChange::kShutDown), kInUseCode, call, surroundings_);
}

}  // namespace cohort::provider
