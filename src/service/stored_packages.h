// Packages as they lie in folders, looked at by their manifests: nothing is verified.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "package/verify.h"
#include "service/package_size.h"

namespace cohort::service {

struct StoredPackage {
  Path package;
  std::optional<package::Manifest> manifest;   // nothing if it cannot be read
  std::vector<package::LowerPackage> parents;  // what it stands on, the nearest first, as far as that is there
  PackageSize size = {};
  std::string problem = {};  // why it cannot be used; empty if nothing is seen from here
};

// Those of the folders right in `folder` that are packages by their manifests' presence, sorted. Errors as
// packages_in().
[[nodiscard]] Result<std::vector<Path>> package_folders_in(const Path& folder);

// Of the folders right in `folder`, those that are packages or were to become some; the earliest instant first, those
// that cannot be read last. kNotFound, kPermission, kIo; kInvalidArgument if it is no folder.
[[nodiscard]] Result<std::vector<StoredPackage>> packages_in(const Path& folder);

// Why it does not hold all disks of a snapshot, or cannot be used; empty if it does and can, as far as is seen from
// here.
[[nodiscard]] std::string why_no_whole_point(const StoredPackage& stored);
// The newest of those in the folder that hold all disks, of `time` or before; of several of one instant the one that
// stands on the fewest others. kNotFound; kInvalidArgument if there are some of several collections; as packages_in().
[[nodiscard]] Result<Path> package_at(const Path& folder, WallTime time);

// One of them. kNotFound if it is no package; kCorrupt, kUnsupported as package::open_chain.
[[nodiscard]] Result<StoredPackage> stored_package(const Path& directory);

}  // namespace cohort::service
