// A package with those that it stands on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "package/manifest_file.h"
#include "package/package_folder.h"
#include "package/verify.h"

namespace cohort::package {

// More than a year of nights; whoever needs so many parents waits long for each.
inline constexpr std::size_t kMaxPackages = 100;

struct ChainLink {
  PackageFolder folder;
  ManifestFile file;
  std::string name;  // from the first package on: "../monday"; empty for the first itself

  [[nodiscard]] const Manifest& manifest() const { return file.manifest; }
};

// The package first, then its parent, the parent of that one, …
struct PackageChain {
  std::vector<ChainLink> links;
  // Why the last link's parent is not among them; nothing if it has none. `file` is relative to the first package.
  std::optional<Problem> broken;
};

// Opens the package and as many of its parents as are what they should be: each has the manifest that its child has the
// hash of, and in it the disks that the child names, with their sizes and content hashes. No link is followed to a
// parent, and none but those that a manifest names is opened. The files have not been verified then.
// Fails as read_manifest_file for the first package only.
[[nodiscard]] Result<PackageChain> open_chain(const Path& package);
// Without its parents. Fails in the same way.
[[nodiscard]] Result<PackageChain> open_alone(const Path& package);
// kNotFound or kCorrupt, saying what is missing or wrong, if it is broken.
[[nodiscard]] Result<void> check_complete(const PackageChain& chain);

// Those that the first package stands on, the nearest first.
[[nodiscard]] std::vector<LowerPackage> lower_packages(const PackageChain& chain);

// An image of a disk, in the package that holds it.
struct DiskLayer {
  const PackageFolder* folder;
  const DiskEntry* disk;
};
// What the disk's image consists of, the top first; the links must outlive it.
// REQUIRES: the chain is complete, and its first package has the disk.
[[nodiscard]] std::vector<DiskLayer> layers_of(const PackageChain& chain, const MachineId& machine,
                                               std::string_view target);

// Opens the image as open_entry() does.
[[nodiscard]] Result<UniqueFd> open_layer(const DiskLayer& layer);

}  // namespace cohort::package
