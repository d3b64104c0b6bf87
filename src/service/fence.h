// The interval in which every running member stands still, so that all snapshots fall inside one instant.
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "domain/snapshot.h"
#include "service/ports/guard.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

// Freezes the guests that are to be frozen (see foresee_consistency), raises the fence around the members of
// `snapshot`, captures all of them, lowers it again, thaws the guests, and fills in the members' pauses and what
// consistency they have reached, the fence's figures, the instant and the stamps of the frozen files. Returns the small
// state files of each member, in their order.
//
// `commit_intent` is called when the guard is ready, before any member is frozen or stopped; the snapshot's instant is
// set then. It is called again, with no instant, when the fence is down and the snapshot is void. Guests that may still
// be frozen are noted in the snapshot then. The members run again when this returns, whatever happened; only if libvirt
// refuses that for ten seconds they are left to the guard, and the error names them. Fails with kTimeout if the
// deadline passed or the guard had to act; with kCancelled if `stop` was requested while memory was saved; with what
// the hypervisor said otherwise. Disks of some members may have been
// switched then: the caller takes the snapshot back.
[[nodiscard]] Result<std::vector<MachineStateFiles>> capture_inside_fence(
    Snapshot& snapshot, Hypervisor& hypervisor, Guard& guard, const Clock& clock, const std::stop_token& stop,
    const std::function<Result<void>(const Snapshot&)>& commit_intent);

}  // namespace cohort::service
