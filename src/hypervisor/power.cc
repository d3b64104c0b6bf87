#include "hypervisor/power.h"

#include "hypervisor/connection.h"
#include "hypervisor/libvirt_error.h"

#include <libvirt/virterror.h>

namespace cohort::hypervisor {
namespace {

std::string pause_words(int reason) {
  switch (reason) {
    case VIR_DOMAIN_PAUSED_IOERROR:
      return "paused after an I/O error";
    case VIR_DOMAIN_PAUSED_WATCHDOG:
      return "paused by its watchdog";
    case VIR_DOMAIN_PAUSED_CRASHED:
      return "paused after a crash";
    case VIR_DOMAIN_PAUSED_MIGRATION:
    case VIR_DOMAIN_PAUSED_POSTCOPY:
    case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED:
      return "paused by a migration";
    case VIR_DOMAIN_PAUSED_SAVE:
    case VIR_DOMAIN_PAUSED_DUMP:
    case VIR_DOMAIN_PAUSED_SNAPSHOT:
      return "paused while its memory is being saved";
    case VIR_DOMAIN_PAUSED_STARTING_UP:
      return "starting";
    case VIR_DOMAIN_PAUSED_SHUTTING_DOWN:
      return "shutting down";
    default:
      return "paused";
  }
}

// What was restored and stands still does so, for libvirt, because of a migration. During one, libvirt has a job.
bool is_lasting_pause(int reason) {
  return reason == VIR_DOMAIN_PAUSED_USER || reason == VIR_DOMAIN_PAUSED_UNKNOWN ||
         reason == VIR_DOMAIN_PAUSED_FROM_SNAPSHOT || reason == VIR_DOMAIN_PAUSED_MIGRATION;
}

MachineActivity activity_in_pause(int reason) {
  if (is_lasting_pause(reason)) return MachineActivity::kPaused;
  switch (reason) {
    case VIR_DOMAIN_PAUSED_IOERROR:
    case VIR_DOMAIN_PAUSED_WATCHDOG:
    case VIR_DOMAIN_PAUSED_CRASHED:
    case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED:
      return MachineActivity::kFailed;
    case VIR_DOMAIN_PAUSED_STARTING_UP:
      return MachineActivity::kStarting;
    case VIR_DOMAIN_PAUSED_SHUTTING_DOWN:
      return MachineActivity::kShuttingDown;
    default:
      return MachineActivity::kHeld;
  }
}

// libvirt answers when it has ended what it was doing with the machine, also its look at one that it finds running.
Result<void> wait_for_libvirt(virDomainPtr domain) {
  virDomainMemoryStatStruct statistic{};
  if (virDomainMemoryStats(domain, &statistic, 1, 0) >= 0) return {};
  switch (virGetLastErrorCode()) {
    case VIR_ERR_OPERATION_INVALID:  // it is off by now
    case VIR_ERR_NO_SUPPORT:
      return {};
    default:
      return Failure{machine_error(domain, "The state of the machine \"{}\" cannot be read.")};
  }
}

}  // namespace

PowerState DomainState::power() const {
  if (is_running()) return PowerState::kRunning;
  if (state == VIR_DOMAIN_PAUSED) return is_lasting_pause(reason) ? PowerState::kPaused : PowerState::kOther;
  return state == VIR_DOMAIN_SHUTOFF ? PowerState::kOff : PowerState::kOther;
}

MachineActivity DomainState::activity() const {
  if (is_running()) return MachineActivity::kRunning;
  switch (state) {
    case VIR_DOMAIN_PAUSED:
      return activity_in_pause(reason);
    case VIR_DOMAIN_SHUTOFF:
      return MachineActivity::kOff;
    case VIR_DOMAIN_SHUTDOWN:
      return MachineActivity::kShuttingDown;
    case VIR_DOMAIN_CRASHED:
      return MachineActivity::kFailed;
    case VIR_DOMAIN_PMSUSPENDED:
      return MachineActivity::kSuspendedByGuest;
    default:
      return MachineActivity::kUnknown;
  }
}

bool DomainState::has_run_since_start() const {
  return state == VIR_DOMAIN_RUNNING && (reason == VIR_DOMAIN_RUNNING_BOOTED || reason == VIR_DOMAIN_RUNNING_RESTORED);
}

std::string DomainState::words() const {
  if (is_running()) return "running";
  switch (state) {
    case VIR_DOMAIN_PAUSED:
      return pause_words(reason);
    case VIR_DOMAIN_SHUTOFF:
      return "off";
    case VIR_DOMAIN_SHUTDOWN:
      return "shutting down";
    case VIR_DOMAIN_CRASHED:
      return "crashed";
    case VIR_DOMAIN_PMSUSPENDED:
      return "suspended by its guest";
    default:
      return "in a state that libvirt does not tell";
  }
}

Result<DomainState> state_of(virDomainPtr domain) {
  DomainState state;
  if (virDomainGetState(domain, &state.state, &state.reason, 0) != 0) {
    return Failure{machine_error(domain, "The state of the machine \"{}\" cannot be read.")};
  }
  return state;
}

Result<DomainState> settled_state_of(virDomainPtr domain) {
  COHORT_ASSIGN(const DomainState state, state_of(domain));
  if (!state.is_running()) return state;
  COHORT_TRY(wait_for_libvirt(domain));
  return state_of(domain);
}

Result<MachineSummary> summary_of(virDomainPtr domain) {
  COHORT_ASSIGN(const DomainState state, state_of(domain));
  COHORT_ASSIGN(const MachineId id, id_of(domain));
  return MachineSummary{id, virDomainGetName(domain), state.power(), virDomainIsPersistent(domain) == 1};
}

}  // namespace cohort::hypervisor
