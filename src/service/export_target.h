// Where a package goes, checked before its first byte.
#pragma once

#include "base/file.h"
#include "domain/snapshot.h"
#include "service/export_snapshot.h"

namespace cohort::service {

// The folder the package will be: absolute, below an existing folder.
// kInvalidArgument, kNotFound, kPermission, or kAlreadyExists if something is there or would be hidden.
[[nodiscard]] Result<Path> package_folder(const ExportRequest& request, const Snapshot& snapshot);

}  // namespace cohort::service
