// The states of libvirt's domains as a snapshot sees them.
#pragma once

#include <libvirt/libvirt.h>

#include <string>

#include "base/result.h"
#include "domain/machine.h"

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
  // For people: "paused after an I/O error", "crashed".
  [[nodiscard]] std::string words() const;
};

[[nodiscard]] Result<DomainState> state_of(virDomainPtr domain);
[[nodiscard]] Result<MachineSummary> summary_of(virDomainPtr domain);

}  // namespace cohort::hypervisor
