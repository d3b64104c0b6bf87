#include "provider/computer_system.h"

#include <optional>
#include <utility>

#include "provider/found.h"
#include "provider/machine_state.h"
#include "provider/paths.h"
#include "provider/power_order.h"

namespace cohort::provider {
namespace {

using cim::Value;

constexpr std::uint16_t kRunsAlways = 2;      // EnabledState "Enabled"
constexpr std::uint16_t kNotApplicable = 12;  // RequestedState
constexpr std::uint16_t kStart = 2;
constexpr std::uint16_t kNotAllowed = 3;  // EnhancedSessionModeState

// What RequestedState orders; 2 is start or resume, by the state that the machine is in.
std::optional<PowerChange> order_in(std::uint16_t requested_state) {
  switch (requested_state) {
    case kStart:
      return PowerChange::kStart;
    case 3:
      return PowerChange::kTurnOff;
    case 4:
      return PowerChange::kShutDown;
    case 9:
    case 32768:
    case 32776:
      return PowerChange::kPause;
    case 10:
      return PowerChange::kReboot;
    case 11:
      return PowerChange::kReset;
    case 32777:
      return PowerChange::kResume;
    default:
      return std::nullopt;
  }
}

cim::Instance system_of(const cim::ObjectPath& path) {
  cim::Instance system;
  system.class_name = path.class_name;
  for (const auto& key : path.keys) system.set(key.name, key.value);
  system.set("RequestedState", Value(kNotApplicable));
  return system;
}

// Nothing is replicated.
void add_replication(cim::Instance& system) {
  for (const char* name : {"ReplicationState", "ReplicationHealth", "ReplicationMode", "FailedOverReplicationType",
                           "LastReplicationType"}) {
    system.set(name, Value(std::uint16_t{0}));
  }
}

}  // namespace

cim::Instance ComputerSystemProvider::host() const {
  cim::Instance system = system_of(path_of_host(surroundings_.host_name));
  system.set("Caption", Value("Hosting Computer System"));
  system.set("Description", Value("Microsoft Hosting Computer System"));
  system.set("ElementName", Value(surroundings_.host_name));
  system.set("EnabledState", Value(kRunsAlways));
  system.set("HealthState", Value(health_state(MachineActivity::kRunning)));
  system.set("OperationalStatus", Value::array_of(operational_status(MachineActivity::kRunning)));
  return system;
}

cim::Instance ComputerSystemProvider::machine(const MachineCondition& condition) const {
  cim::Instance system = system_of(path_of_machine(condition.id));
  system.set("Caption", Value("Virtual Machine"));
  system.set("Description", Value("Microsoft Virtual Machine"));
  system.set("ElementName", Value(condition.name));
  system.set("EnabledState", Value(enabled_state(condition.activity)));
  system.set("OtherEnabledState", Value(condition.words));
  system.set("AvailableRequestedStates", Value::array_of(available_requests(condition.activity)));
  system.set("HealthState", Value(health_state(condition.activity)));
  system.set("OperationalStatus", Value::array_of(operational_status(condition.activity)));
  system.set("StatusDescriptions", Value::array_of(status_descriptions(condition)));
  system.set("OnTimeInMilliseconds", Value(on_time(condition, clock_.wall())));
  if (condition.process) system.set("ProcessID", Value(static_cast<std::uint32_t>(*condition.process)));
  if (condition.changed) system.set("TimeOfLastStateChange", Value(cim::Datetime::at(*condition.changed)));
  system.set("EnhancedSessionModeState", Value(kNotAllowed));
  add_replication(system);
  return system;
}

Result<std::vector<cim::Instance>> ComputerSystemProvider::instances() {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  std::vector<cim::Instance> all = {host()};
  for (const auto& condition : conditions) all.push_back(machine(condition));
  return all;
}

Result<std::optional<cim::Instance>> ComputerSystemProvider::find(const cim::ObjectPath& path) {
  const Value* creator = path.key("CreationClassName");
  if (creator != nullptr && !cim::same_key_value(*creator, Value(class_name()))) return std::nullopt;
  const Value* name = path.key("Name");
  const auto* text = name == nullptr ? nullptr : name->get_if<std::string>();
  if (text != nullptr && is_host(*text)) return host();
  const auto id = id_in<MachineId>(path, "Name");
  if (!id) return std::nullopt;
  COHORT_ASSIGN(const auto condition, if_found(machines_.condition(*id)));
  if (!condition) return std::nullopt;
  return machine(*condition);
}

Result<void> ComputerSystemProvider::name_all(const std::function<void(const cim::Instance&)>& take) {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  take(system_of(path_of_host(surroundings_.host_name)));
  for (const auto& condition : conditions) take(system_of(path_of_machine(condition.id)));
  return {};
}

Right ComputerSystemProvider::right_for(std::string_view /*method*/) const { return Right::kOperate; }

Result<void> ComputerSystemProvider::request(const MachineId& machine, std::uint16_t state) {
  const auto order = order_in(state);
  if (!order) return fail(ErrorCode::kUnsupported, "Machines cannot be brought to the state {}.", state);
  if (order != PowerChange::kStart) return power_.run(machine, *order);
  COHORT_ASSIGN(const auto condition, machines_.condition(machine));
  const bool is_paused = condition.activity == MachineActivity::kPaused;
  return power_.run(machine, is_paused ? PowerChange::kResume : PowerChange::kStart);
}

Result<cim::MethodResult> ComputerSystemProvider::invoke(const MethodCall& call) {
  if (!cim::same_name(call.method, "RequestStateChange")) return ClassProvider::invoke(call);
  const auto* state = call.parameter("RequestedState").get_if<std::uint16_t>();
  if (state == nullptr) return fail(ErrorCode::kInvalidArgument, "RequestStateChange needs a RequestedState.");
  const auto id = id_in<MachineId>(call.object, "Name");
  // The host is nothing that its guests' administrators turn off.
  if (!id) return returned(kInvalidStateCode);
  // The class has no code for what is in use.
  return outcome_of_order(request(*id, *state), kInvalidStateCode, call, surroundings_);
}

}  // namespace cohort::provider
