// What is left of a snapshot that was deleted while several branches stand on its files, or while some of them could
// not be merged: the files, and the record of where they stand. Each branch needs them as they are, so that they are
// merged when only one is left (decision 0009); those of a disk that was detached are, when it is there again.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "domain/snapshot.h"
#include "service/job_context.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

struct SharedLayers {
  std::string name;                // of the snapshot
  std::set<std::string> branches;  // the snapshots that stand on its files
  std::uint64_t disk_bytes = 0;    // what its frozen files take on the disk
  std::string why = {};            // they are shared by none, and could not be merged yet: a sentence
  CollectionId collection = {};    // of the snapshot
};
[[nodiscard]] SharedLayers shared_layers_of(const Snapshot& snapshot, const std::vector<Snapshot>& all);

// The snapshot, which is ready, becomes "shared": it keeps its place in the tree, and no list shows it. Crash: a
// snapshot as before, or shared.
[[nodiscard]] Result<Snapshot> retire(Snapshot snapshot, StateStore& store);
// The same of one that is being deleted, whose other disks are merged: those that stand on `frozen` stay.
[[nodiscard]] Result<void> retire_rest(const Snapshot& snapshot, const std::set<Path>& frozen, StateStore& store);
// What was kept of the machines but their disks. Can be repeated.
[[nodiscard]] Result<void> remove_belongings(const Snapshot& retired, Hypervisor& hypervisor, StateStore& store);

struct FreedLayers {
  std::vector<std::string> merged;  // names
  std::vector<SharedLayers> left;   // stay shared for another reason than branches
};

// Merges, or removes, all shared layers that are shared no more. Those that cannot be merged (a machine is missing,
// somebody has changed a disk) are not touched, and are tried again the next time.
// On failure half way they are "deleting", in the list of snapshots again, and deleted as any other.
[[nodiscard]] Result<FreedLayers> merge_freed_layers(Hypervisor& hypervisor, StateStore& store, JobContext& job,
                                                     const std::stop_token& stop);

}  // namespace cohort::service
