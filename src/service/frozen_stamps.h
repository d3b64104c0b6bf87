// Whether frozen files were written to after the instant, by their stamps. An external data file is stamped with its
// image.
//
// A merge writes to frozen files of other snapshots: into the one it merges to, and to the header of the file above the
// overlay that goes. Their stamps are withdrawn before and taken anew after it; without a stamp nothing is refused, so
// a crash between is harmless. A file that somebody wrote to before keeps a stamp that does not fit.
#pragma once

#include "domain/snapshot.h"
#include "service/ports/state_store.h"

namespace cohort::service {

// The stamps of all frozen files, as they are now. One that cannot be looked at gets none.
void stamp_frozen_files(Snapshot& snapshot);

// Before and after `merged` is merged, the latter after StateStore::move_frozen. Both can be repeated.
[[nodiscard]] Result<void> withdraw_stamps(const DiskSnapshot& merged, StateStore& store);
[[nodiscard]] Result<void> renew_stamps(const DiskSnapshot& merged, StateStore& store);

// kCorrupt, naming file and machine, if a frozen file of the snapshot does not fit its stamp, or if one below it, which
// an older one of `all` has frozen, does not and was written to after this snapshot's instant.
[[nodiscard]] Result<void> check_unwritten(const Snapshot& snapshot, const MemberSnapshot& member,
                                           const DiskSnapshot& disk, const std::vector<Snapshot>& all);

}  // namespace cohort::service
