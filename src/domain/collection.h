// A named set of machines, or of collections.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "domain/ids.h"

namespace cohort {

enum class CollectionKind {
  kMachines,     // Hyper-V: Msvm_VirtualSystemCollection, type 0
  kCollections,  // Hyper-V: Msvm_ManagementCollection, type 1
};
[[nodiscard]] std::string_view to_string(CollectionKind kind);  // "machines", "collections"
[[nodiscard]] Result<CollectionKind> collection_kind_from(std::string_view name);

struct MachineMember {
  MachineId id;
  std::string name;  // as last seen; a machine that has vanished is still called so
};

struct Collection {
  CollectionId id;
  std::string name;
  CollectionKind kind = CollectionKind::kMachines;
  WallTime created;
  std::vector<MachineMember> machines;    // of kMachines, in the order added
  std::vector<CollectionId> collections;  // of kCollections, in the order added
};

// 1 to 128 bytes of UTF-8 without control characters or '/', not "." or "..", no space at either end, and not of the
// form of a UUID. (The name becomes a folder under --subdirectory.)
[[nodiscard]] Result<void> check_collection_name(std::string_view name);
// The same rules for the name of a snapshot.
[[nodiscard]] Result<void> check_snapshot_name(std::string_view name);

// All collections by id, for walking nested ones.
using CollectionLookup = std::function<std::optional<Collection>(const CollectionId&)>;

// True if `inner` is `outer`, or is reached from it through any number of nested collections.
[[nodiscard]] bool reaches(const CollectionId& outer, const CollectionId& inner, const CollectionLookup& lookup);

// The machines of a collection and of all collections nested in it, each once, in the order first met.
[[nodiscard]] std::vector<MachineMember> all_machines(const Collection& collection, const CollectionLookup& lookup);

}  // namespace cohort
