// What a call to export a snapshot or a reference point asks for.
#pragma once

#include "base/result.h"
#include "provider/export_roots.h"
#include "provider/provider.h"
#include "service/export_snapshot.h"

namespace cohort::provider {

// The parameters ExportDirectory and ExportSettingData of
//   ExportSnapshot:        Msvm_CollectionSnapshotExportSettingData
//   ExportReferencePoint:  Msvm_CollectionReferencePointExportSettingData
// as a request for what `snapshot`, which may be a reference point, holds. kInvalidArgument and kUnsupported name what
// cannot be; kPermission: a directory that is not meant for exports.
[[nodiscard]] Result<service::ExportRequest> export_request_in(const MethodCall& call, const Snapshot& snapshot,
                                                               const ExportRoots& roots);

}  // namespace cohort::provider
