// The states of libvirt's domains as a snapshot sees them.
#pragma once

#include <libvirt/libvirt.h>

#include <string>

#include "base/result.h"
#include "domain/machine.h"
#include "domain/machine_condition.h"

namespace cohort::hypervisor {

// virDomainState and its reason.
struct DomainState {
  int state = VIR_DOMAIN_NOSTATE;
  int reason = 0;

  // It stands still because somebody ordered so, not because of a fault.
  [[nodiscard]] bool is_paused_by_user() const {
    return state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_USER;
  }
  [[nodiscard]] bool is_running() const { return state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED; }
  [[nodiscard]] PowerState power() const;
  // kOff also for a machine that is saved: libvirt tells that elsewhere.
  [[nodiscard]] MachineActivity activity() const;
  // It runs since it was started, without a pause that anybody has heard of.
  [[nodiscard]] bool has_run_since_start() const;
  // For people: "paused after an I/O error", "crashed".
  [[nodiscard]] std::string words() const;
};

[[nodiscard]] Result<DomainState> state_of(virDomainPtr domain);
// The same, for who does nothing if the machine runs: a libvirtd that has just been started tells what its status file
// says until it has asked QEMU. A machine that seems to run is looked at again once libvirt is not at work on it.
[[nodiscard]] Result<DomainState> settled_state_of(virDomainPtr domain);
[[nodiscard]] Result<MachineSummary> summary_of(virDomainPtr domain);

}  // namespace cohort::hypervisor
