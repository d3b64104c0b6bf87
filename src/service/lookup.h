// Finding things by what people call them.
#pragma once

#include <string>
#include <vector>

#include "service/ports/state_store.h"

namespace cohort::service {

// By name, UUID, or the first 4 or more characters of the UUID; the name wins.
// kNotFound names the thing and how to list what there is; kInvalidArgument if several begin with these characters.
[[nodiscard]] Result<Collection> find_collection(StateStore& store, const std::string& name);
// No reference point: kInvalidState says so where there is one of that name.
[[nodiscard]] Result<Snapshot> find_snapshot(StateStore& store, const std::string& name);
[[nodiscard]] Result<Snapshot> find_reference_point(StateStore& store, const std::string& name);
[[nodiscard]] Result<Job> find_job(StateStore& store, const std::string& name);

// Either of them.
[[nodiscard]] Result<Snapshot> find_point(StateStore& store, const std::string& name);

// Of one collection, or of all when the name is empty; the oldest first.
[[nodiscard]] Result<std::vector<Snapshot>> list_snapshots(StateStore& store, const std::string& collection);
[[nodiscard]] Result<std::vector<Snapshot>> list_reference_points(StateStore& store, const std::string& collection);

// "cohort snapshot delete 12345678", "cohort reference delete 12345678".
[[nodiscard]] std::string delete_command(const Snapshot& snapshot);

// True if one of the snapshots has this file as an overlay, or as a frozen file.
[[nodiscard]] bool is_recorded(const std::vector<Snapshot>& snapshots, const Path& overlay);

// For walking nested collections; a collection that cannot be read is not there.
[[nodiscard]] CollectionLookup lookup_in(StateStore& store);

}  // namespace cohort::service
