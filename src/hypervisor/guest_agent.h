// What is asked of the agent in a guest.
//
// Each question has a limit of its own, other than that of libvirt's virDomainFSFreeze, which waits for ever, and would
// keep everybody else's questions waiting.
#pragma once

#include <libvirt/libvirt.h>

#include "base/clock.h"
#include "base/result.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

// As the functions of service::Hypervisor.
[[nodiscard]] Result<bool> agent_answers(virDomainPtr domain);
[[nodiscard]] Result<service::FreezeOutlook> freeze_outlook(virDomainPtr domain);
[[nodiscard]] Result<std::uint64_t> freeze(virDomainPtr domain, Milliseconds patience);
[[nodiscard]] Result<service::ThawReport> thaw(virDomainPtr domain);

}  // namespace cohort::hypervisor
