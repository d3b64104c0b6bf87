// The tree that the snapshots of a machine's disk make: frozen files, and what stands on them.
#pragma once

#include <map>
#include <optional>
#include <set>
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

// The names of snapshots that stand on the same files as the snapshot and would be harmed by a merge of its overlays,
// or by the removal of its files; none if it can be merged, or removed.
[[nodiscard]] std::set<std::string> branches_on_files_of(const Snapshot& snapshot, const std::vector<Snapshot>& all);

// Those, and the ones that stand on these files and would not be harmed, since the machines go on through them; none if
// none would be harmed.
[[nodiscard]] std::set<std::string> sharing_files_of(const Snapshot& snapshot, const std::vector<Snapshot>& all);

// What the store holds when the snapshot, on whose files no branches stand, is merged or removed, and gone.
[[nodiscard]] std::vector<Snapshot> after_merge_of(const Snapshot& snapshot, std::vector<Snapshot> all);

// A snapshot that was deleted, but whose files branches had shared (SnapshotState::kShared), and do no more; nothing if
// there is none but those in `passed_over`.
[[nodiscard]] std::optional<Snapshot> shared_by_none(const std::vector<Snapshot>& all,
                                                     const std::set<SnapshotId>& passed_over);

// The snapshots that people see, as they see the tree: of those that are shared (SnapshotState::kShared) their children
// hang on the nearest one below that is seen, which is the current one in their place.
[[nodiscard]] std::vector<Snapshot> seen_of(const std::vector<Snapshot>& all);

// The snapshot and all that were taken while it, or one of those, was the current one; none before one that stands on
// it. Reference points and what is shared are none of them.
[[nodiscard]] std::vector<Snapshot> subtree_of(const Snapshot& snapshot, const std::vector<Snapshot>& all);

}  // namespace cohort::service
