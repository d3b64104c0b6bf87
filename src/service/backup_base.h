// What an incremental backup stands on.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "domain/snapshot.h"
#include "service/export_snapshot.h"
#include "service/ports/state_store.h"

namespace cohort::service {

struct BackupBase {
  Path folder;           // of the packages, with no link in it
  Path package = {};     // the newest of the collection that a difference can stand on; empty: there is none
  std::string why = {};  // there is none: a sentence
};

// For a package that is to be `target`. A package can be the base if its snapshot still exists, whoever keeps that, and
// it is complete with all that it stands on, as far as names and lengths tell. Of several of the same instant it is the
// one that stands on the fewest others. kInvalidArgument if the request is for something that can be no difference, or
// no base of a later one; as new_package_folder(); kIo, kPermission for a manifest that cannot be read; kCancelled.
[[nodiscard]] Result<BackupBase> find_backup_base(const ExportRequest& target, const CollectionId& collection,
                                                  StateStore& store, WallTime now, const std::stop_token& stop);

// The snapshots that backups to the folder have kept, the oldest first. Those that recovery could not take back whole
// are not among them.
[[nodiscard]] std::vector<Snapshot> kept_bases(const std::vector<Snapshot>& all, const Path& folder,
                                               const CollectionId& collection);

}  // namespace cohort::service
