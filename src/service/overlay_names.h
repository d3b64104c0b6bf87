// Names for the overlays of a snapshot.
#pragma once

#include <set>

#include "domain/snapshot.h"

namespace cohort::service {

// Two disks of one folder may differ in their extension only.
class OverlayNames {
 public:
  explicit OverlayNames(const SnapshotId& id) : id_(id) {}

  // A name that was not given before, beside the file that the overlay will stand on.
  Path beside(const Path& file) {
    Path path = overlay_path(file, id_);
    for (int number = 2; !used_.insert(path).second; ++number) {
      path = overlay_path(file.parent_path() / fmt::format("{}-{}.x", file.stem().string(), number), id_);
    }
    return path;
  }

 private:
  SnapshotId id_;
  std::set<Path> used_;
};

}  // namespace cohort::service
