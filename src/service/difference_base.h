// The package that a differential export is relative to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/snapshot.h"
#include "package/package_chain.h"
#include "service/ports/disk_copier.h"
#include "service/ports/state_store.h"

namespace cohort::service {

// How a disk is exported.
struct DiskChoice {
  std::optional<DiskBase> base;               // as what changed since this
  std::optional<package::ParentDisk> parent;  // the same for the manifest
  std::string whole_because;                  // if it has no base though one was asked for
};

class DifferenceBase {
 public:
  // `directory`: a package of an earlier snapshot of the collection, which is still there; `target`: the folder that
  // the new package will be. kNotFound if the package, one that it stands on, or its snapshot is not there;
  // kInvalidArgument if it is of something else, or lies where the new one cannot name it; kCorrupt; kUnsupported if it
  // stands on too many.
  [[nodiscard]] static Result<DifferenceBase> open(const Path& directory, const Path& target, const Snapshot& snapshot,
                                                   StateStore& store);

  [[nodiscard]] package::ParentPackage parent() const;
  // Whether a disk of `snapshot`, to be exported as `format` into the file `file` of the package, can be a difference
  // as far as the packages and the store tell; the copier has the last word (DiskCopier::measure_difference). kCorrupt
  // if the package is damaged.
  [[nodiscard]] Result<DiskChoice> choose(const MemberSnapshot& member, const DiskSnapshot& disk,
                                          const std::string& format, const std::string& file) const;

 private:
  DifferenceBase(package::PackageChain chain, std::string path, Snapshot snapshot, std::vector<Snapshot> all)
      : chain_(std::move(chain)), path_(std::move(path)), snapshot_(std::move(snapshot)), all_(std::move(all)) {}

  [[nodiscard]] const package::Manifest& manifest() const { return chain_.links.front().manifest(); }
  // The disk in the earlier snapshot; a sentence why it cannot be used, else.
  [[nodiscard]] tl::expected<const DiskSnapshot*, std::string> frozen_disk(const MemberSnapshot& member,
                                                                           const DiskSnapshot& disk) const;

  package::PackageChain chain_;
  std::string path_;   // of the package from the new one on
  Snapshot snapshot_;  // that it is of
  std::vector<Snapshot> all_;
};

}  // namespace cohort::service
