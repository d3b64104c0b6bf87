// Takes an overlay back: see service::Hypervisor::merge_overlay.
//
// The content of the overlay is written into the frozen file, the machine is made to stand on that, and when neither
// the running machine nor its definition has the overlay any more, its file is removed. Each step looks at the world
// first, so that a call after a crash goes on where the last one was.
//
// A machine may be started or stopped at any moment. Only QEMU's image locks hold then: whoever comes second fails,
// and looks again.
#pragma once

#include <libvirt/libvirt.h>

#include <stop_token>
#include <string>

#include "base/result.h"
#include "domain/snapshot.h"
#include "hypervisor/image_chain.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

struct MergeRequest {
  std::string machine;  // its name
  DiskSnapshot disk;    // `merged` follows the marks
  std::stop_token stop;
  const service::MergeWatch& watch;

  void report(std::uint64_t done, std::uint64_t total) const {
    if (watch.on_progress) watch.on_progress(done, total);
  }
  // See service::MergeWatch; success if the disk is marked so already.
  [[nodiscard]] Result<void> mark(bool merged) {
    if (disk.merged == merged) return {};
    if (watch.mark) COHORT_TRY(watch.mark(merged));
    disk.merged = merged;
    return {};
  }
};

enum class MergeOutcome {
  kDone,
  kLookAgain,   // the world has changed meanwhile; nothing is wrong
  kEndedEarly,  // the machine is as it was: what an earlier merge of the disk has left may still have been ending
};

// After a lost connection it can be called again with the same request.
[[nodiscard]] Result<void> merge(virDomainPtr domain, MergeRequest& request);
// Whether a merge can begin: see service::Hypervisor::check_mergeable.
[[nodiscard]] Result<void> check_mergeable(virDomainPtr domain, const MergeRequest& request);

// --- the parts of it ---

// The machine runs or is paused: a block commit in its QEMU.
[[nodiscard]] Result<MergeOutcome> merge_live(virDomainPtr domain, MergeRequest& request);
// The machine is off: qemu-img and a new definition.
[[nodiscard]] Result<MergeOutcome> merge_offline(virDomainPtr domain, MergeRequest& request);

// The chain of the request's disk as the machine has it (live), or as its next start will read it. Empty if there is no
// such disk.
[[nodiscard]] Result<Chain> chain_now(virDomainPtr domain, bool is_live, const MergeRequest& request);

// The overlay is not in the chain: checks that nothing is lost with it, unless the disk is marked as merged.
[[nodiscard]] Result<void> check_needless(const MergeRequest& request);
// The definition no longer names the overlay; success if it did not, or if there is none.
// REQUIRES: the machine does not run on the overlay, and cannot begin to.
[[nodiscard]] Result<void> forget_overlay(virDomainPtr domain, const MergeRequest& request);
// Checks that neither the machine nor its definition has the overlay in any chain, then removes the file.
[[nodiscard]] Result<MergeOutcome> finish_merge(virDomainPtr domain, const MergeRequest& request);

[[nodiscard]] Failure changed_chain(const MergeRequest& request);
// Makes the persistent definition, which names the frozen file as the disk, name the overlay.
[[nodiscard]] Result<void> define_on_overlay(virDomainPtr domain, const MergeRequest& request);
// The block job is gone, and the machine still has the overlay. `cause` may be empty: libvirt keeps it to itself.
[[nodiscard]] Failure ended_early(const MergeRequest& request, const std::string& cause);
[[nodiscard]] Error merge_cancelled(const MergeRequest& request);

}  // namespace cohort::hypervisor
