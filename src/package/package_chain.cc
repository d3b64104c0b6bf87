#include "package/package_chain.h"

#include "base/sha256.h"
#include "package/layout.h"
#include "package/verify_file.h"

namespace cohort::package {
namespace {

// Where a parent lies as seen from the first package.
std::string name_from_first(const ChainLink& child) {
  const std::string& path = child.manifest().parent->path;
  return child.name.empty() ? path : (Path(child.name) / path).lexically_normal().string();
}

std::string manifest_of(const std::string& package) { return fmt::format("{}/{}", package, kManifestName); }

std::string described(const ParentPackage& parent) {
  return fmt::format("the parent package, of the snapshot \"{}\" of {}", parent.snapshot_name,
                     format_utc(parent.instant));
}

Problem missing(const ChainLink& child, const std::string& name, const Error& error) {
  const ParentPackage& parent = *child.manifest().parent;
  const bool is_absent = error.code == ErrorCode::kNotFound;
  return {manifest_of(name), is_absent ? ProblemKind::kMissingParent : ProblemKind::kWrongParent,
          fmt::format("Here {} should be; put it back as \"{}\" beside the package. {}", described(parent), parent.path,
                      error.describe())};
}

// Why the parent's disk is not the one that the child names; empty if it is.
std::string difference_of(const DiskEntry& child, const DiskEntry* disk, const std::string& path) {
  if (disk == nullptr) return "it has no such disk";
  if (path + "/" + disk->file.file != child.parent->file) return "its file is another";
  if (disk->format != child.parent->format) return "its format is another";
  if (disk->virtual_size != child.virtual_size) return "its size is another";
  if (disk->content_hash != child.parent->content_hash) return "its content is another";
  return {};
}

// Whether it has the manifest that the child has the hash of, or, merged, has taken the place of the one that had. The
// disks that the child names are then pinned by their content hashes, and of all else the child has its own.
bool is_named(const ParentPackage& named, const ManifestFile& parent) {
  if (Sha256::of(parent.text) == named.manifest_sha256) return true;
  return !parent.manifest.parent && parent.manifest.stands_for == named.manifest_sha256;
}

std::optional<std::string> why_not_meant(const Manifest& child, const ManifestFile& parent) {
  if (!is_named(*child.parent, parent)) return "its manifest is another";
  if (parent.manifest.collection != child.collection) return "it is of another collection";
  if (parent.manifest.snapshot != child.parent->snapshot) return "it is of another snapshot";
  for (const auto& machine : child.machines) {
    for (const auto& disk : machine.disks) {
      if (!disk.parent) continue;
      const DiskEntry* below = parent.manifest.find_disk(machine.id, disk.target);
      const std::string found = difference_of(disk, below, child.parent->path);
      if (!found.empty()) return fmt::format("disk {} of \"{}\": {}", disk.target, machine.name, found);
    }
  }
  return std::nullopt;
}

// Adds the parent of the last link, or says why not.
void follow(PackageChain& chain) {
  const ChainLink& child = chain.links.back();
  const ParentPackage& parent = *child.manifest().parent;
  const std::string name = name_from_first(child);
  if (chain.links.size() == kMaxPackages) {
    chain.broken = {manifest_of(name), ProblemKind::kWrongParent,
                    fmt::format("A package can stand on {} others, and this one on more.", kMaxPackages - 1)};
    return;
  }
  auto folder = child.folder.open_parent(parent.path);
  if (!folder) {
    chain.broken = missing(child, name, folder.error());
    return;
  }
  auto file = read_manifest_file(*folder);
  if (!file) {
    chain.broken = missing(child, name, file.error());
    return;
  }
  if (const auto reason = why_not_meant(child.manifest(), *file)) {
    chain.broken = {manifest_of(name), ProblemKind::kWrongParent,
                    fmt::format("This is not {}: {}.", described(parent), *reason)};
    return;
  }
  chain.links.push_back({*std::move(folder), *std::move(file), name});
}

}  // namespace

Result<PackageChain> open_alone(const Path& package) {
  COHORT_ASSIGN(PackageFolder folder, PackageFolder::open(package));
  COHORT_ASSIGN(ManifestFile file, read_manifest_file(folder));
  PackageChain chain;
  chain.links.push_back({std::move(folder), std::move(file), {}});
  return chain;
}

Result<PackageChain> open_chain(const Path& package) {
  COHORT_ASSIGN(PackageChain chain, open_alone(package));
  while (!chain.broken && chain.links.back().manifest().parent) follow(chain);
  return chain;
}

Result<void> check_complete(const PackageChain& chain) {
  if (!chain.broken) return {};
  const bool is_missing = chain.broken->kind == ProblemKind::kMissingParent;
  return fail(is_missing ? ErrorCode::kNotFound : ErrorCode::kCorrupt,
              "The package \"{}\" is the difference from another, and that one cannot be used: {}: {}",
              chain.links.front().folder.path().string(), chain.broken->file, chain.broken->message);
}

std::vector<LowerPackage> lower_packages(const PackageChain& chain) {
  std::vector<LowerPackage> packages;
  for (std::size_t i = 1; i < chain.links.size(); ++i) {
    const Manifest& manifest = chain.links[i].manifest();
    packages.push_back({chain.links[i].folder.path(), manifest.snapshot, manifest.snapshot_name, manifest.instant});
  }
  return packages;
}

std::vector<DiskLayer> layers_of(const PackageChain& chain, const MachineId& machine, std::string_view target) {
  std::vector<DiskLayer> layers;
  for (const auto& link : chain.links) {
    layers.push_back({&link.folder, link.manifest().find_disk(machine, target)});
    if (!layers.back().disk->parent) break;
  }
  return layers;
}

Result<UniqueFd> open_layer(const DiskLayer& layer) { return open_entry(*layer.folder, layer.disk->file, layer.disk); }

}  // namespace cohort::package
