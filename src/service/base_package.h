// Packages that a difference can stand on.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "base/file.h"
#include "domain/snapshot.h"
#include "package/manifest.h"

namespace cohort::service {

// By its manifest.
struct BaseCandidate {
  Path package;
  package::Manifest manifest;
};

// True if a later package beside it could name it.
[[nodiscard]] bool can_be_named(const Path& package);

// Those of the collection among the folders, whose manifest can be read and whose name can be named. kIo, kPermission
// for one that may be different in a moment; kCancelled.
[[nodiscard]] Result<std::vector<BaseCandidate>> base_candidates(const std::vector<Path>& folders,
                                                                 const CollectionId& collection,
                                                                 const std::stop_token& stop);

// How many packages it stands on, if it is complete with all of them as far as names and lengths tell; a sentence why
// it can be no base, else. Whether its snapshot is still there is another question.
[[nodiscard]] tl::expected<std::size_t, std::string> depth_of(const BaseCandidate& candidate);

// The package of a snapshot or reference point that a difference at `target` can stand on: of those in the folder of
// `target`, and those of its name in the folders beside that, the one that stands on the fewest others. kNotFound says
// where it was looked for, and why none will do.
[[nodiscard]] Result<Path> find_package_of(const Snapshot& base, const Path& target, const std::stop_token& stop);

}  // namespace cohort::service
