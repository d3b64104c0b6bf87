// What an incremental backup stands on.
#pragma once

#include <string>
#include <vector>

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

// For a package that is to be `target`. A package can be the base if its snapshot still exists, whoever keeps that.
// kInvalidArgument if the request is for something that is no difference; else as packages_in().
[[nodiscard]] Result<BackupBase> find_backup_base(const ExportRequest& target, const CollectionId& collection,
                                                  StateStore& store);

// The snapshots that backups to the folder have kept, the oldest first.
[[nodiscard]] std::vector<Snapshot> kept_bases(const std::vector<Snapshot>& all, const Path& folder,
                                               const CollectionId& collection);

}  // namespace cohort::service
