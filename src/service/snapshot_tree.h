// The tree that the snapshots of a machine's disk make: frozen files, and what stands on them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "domain/snapshot.h"

namespace cohort::service {

// The files from `top` down to the last that a snapshot knows of, by what stands on them: `above` on `top`.
[[nodiscard]] std::map<Path, Path> line_below(const std::vector<Snapshot>& all, const Path& top, const Path& above);

// Makes every disk of every snapshot name the file with which its machine goes on from it, if the machines of `applied`
// go on from `applied`: an overlay, or what a later snapshot has frozen. Those that are not on the way have none.
// Returns the snapshots that are changed by it.
[[nodiscard]] std::vector<Snapshot> on_line_of(const Snapshot& applied, const std::vector<Snapshot>& all);

// Why the snapshot cannot be deleted: what other snapshots have frozen would be harmed. A sentence that names those and
// what to do; empty if it can.
[[nodiscard]] std::string objection_to_delete(const Snapshot& snapshot, const std::vector<Snapshot>& all);

// The snapshot and all that were taken while it, or one of those, was the current one; none before one that stands on
// it. Reference points are none of them.
[[nodiscard]] std::vector<Snapshot> subtree_of(const Snapshot& snapshot, const std::vector<Snapshot>& all);

}  // namespace cohort::service
