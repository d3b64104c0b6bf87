// What those who look after machines from afar ask: how machines are, what they consist of, and power.
#include <libvirt/libvirt.h>

#include <algorithm>
#include <utility>

#include "hypervisor/driver.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/machine_hardware.h"
#include "hypervisor/machine_process.h"
#include "hypervisor/power.h"

namespace cohort::hypervisor {
namespace {

constexpr std::uint64_t kKibi = 1024;

void add_process(MachineCondition& condition, const DriverKind& kind, const DomainState& state) {
  if (!is_active(condition.activity) || !kind.can_snapshot()) return;
  const auto process = find_process(process_id_folder(kind), condition.name);
  if (!process) return;
  condition.process = process->id;
  condition.started = process->started;
  if (state.has_run_since_start()) condition.changed = process->started;
}

Result<MachineCondition> condition_of(virDomainPtr domain, const DriverKind& kind) {
  COHORT_ASSIGN(const DomainState state, state_of(domain));
  MachineCondition condition;
  COHORT_ASSIGN(condition.id, id_of(domain));
  condition.name = virDomainGetName(domain);
  condition.activity = state.activity();
  condition.words = state.words();
  if (condition.activity == MachineActivity::kOff && virDomainHasManagedSaveImage(domain, 0) == 1) {
    condition.activity = MachineActivity::kSaved;
    condition.words = "saved";
  }
  virDomainInfo info{};
  if (virDomainGetInfo(domain, &info) != 0) {
    return Failure{machine_error(domain, "The state of the machine \"{}\" cannot be read.")};
  }
  condition.memory = std::uint64_t{info.memory} * kKibi;
  condition.processors = info.nrVirtCpu;
  int autostart = 0;
  condition.starts_with_host = virDomainGetAutostart(domain, &autostart) == 0 && autostart != 0;
  add_process(condition, kind, state);
  return condition;
}

bool suits(const DomainState& state, PowerChange change) {
  const MachineActivity activity = state.activity();
  switch (change) {
    case PowerChange::kStart:
      return activity == MachineActivity::kOff;
    case PowerChange::kTurnOff:
      return is_active(activity);
    case PowerChange::kReset:
      return activity == MachineActivity::kRunning || activity == MachineActivity::kFailed;
    case PowerChange::kShutDown:
    case PowerChange::kReboot:
    case PowerChange::kPause:
      return activity == MachineActivity::kRunning;
    case PowerChange::kResume:
      return state.is_paused_by_user();
  }
  return false;
}

int order(virDomainPtr domain, PowerChange change) {
  switch (change) {
    case PowerChange::kStart:
      return virDomainCreate(domain);
    case PowerChange::kTurnOff:
      return virDomainDestroy(domain);
    case PowerChange::kShutDown:
      return virDomainShutdown(domain);
    case PowerChange::kReboot:
      return virDomainReboot(domain, 0);
    case PowerChange::kReset:
      return virDomainReset(domain, 0);
    case PowerChange::kPause:
      return virDomainSuspend(domain);
    case PowerChange::kResume:
      return virDomainResume(domain);
  }
  return -1;
}

}  // namespace

Result<std::vector<MachineCondition>> Driver::conditions() {
  COHORT_ASSIGN(const ConnectionHandle connection, connections_->any());
  COHORT_ASSIGN(const auto domains, list_domains(connection.get()));
  std::vector<MachineCondition> all;
  for (const DomainHandle& domain : domains) {
    auto condition = condition_of(domain.get(), kind_);
    // One that has vanished since the list was made is no machine of this host.
    if (!condition && condition.error().code == ErrorCode::kNotFound) continue;
    COHORT_TRY(condition);
    all.push_back(*std::move(condition));
  }
  std::ranges::sort(all, {}, &MachineCondition::name);
  return all;
}

Result<MachineCondition> Driver::condition(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  return condition_of(domain.get(), kind_);
}

Result<MachineHardware> Driver::hardware(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  const unsigned int kind = virDomainIsActive(domain.get()) == 1 ? 0 : VIR_DOMAIN_XML_INACTIVE;
  COHORT_ASSIGN(const std::string xml, domain_xml(domain.get(), kind));
  return read_hardware(xml);
}

Result<MachineHardware> Driver::hardware_in(const std::string& configuration) { return read_hardware(configuration); }

Result<void> Driver::describe(const MachineId& id, const std::string& description) {
  if (description.size() > MachineHardware::kMaxText) {
    return fail(ErrorCode::kInvalidArgument, "What is written about a machine has {} bytes at most, and not {}.",
                MachineHardware::kMaxText, description.size());
  }
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  unsigned int where = 0;
  if (virDomainIsPersistent(domain.get()) == 1) where |= VIR_DOMAIN_AFFECT_CONFIG;
  if (virDomainIsActive(domain.get()) == 1) where |= VIR_DOMAIN_AFFECT_LIVE;
  const char* const text = description.empty() ? nullptr : description.c_str();
  const int done = virDomainSetMetadata(domain.get(), VIR_DOMAIN_METADATA_DESCRIPTION, text, nullptr, nullptr, where);
  if (done == 0) return {};
  return Failure{machine_error(domain.get(), "What is written about the machine \"{}\" cannot be changed.")};
}

Result<void> Driver::change_power(const MachineId& id, PowerChange change) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  COHORT_ASSIGN(const DomainState state, state_of(domain.get()));
  if (!suits(state, change)) {
    return fail(ErrorCode::kInvalidState, "The machine \"{}\" is {}.", virDomainGetName(domain.get()), state.words());
  }
  if (order(domain.get(), change) == 0) return {};
  return Failure{machine_error(domain.get(), "The machine \"{}\" does not change its state.")};
}

}  // namespace cohort::hypervisor
