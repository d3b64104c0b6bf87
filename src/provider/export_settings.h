// What a call to export a snapshot or a reference point asks for.
#pragma once

#include "base/result.h"
#include "provider/export_roots.h"
#include "provider/provider.h"
#include "service/export_snapshot.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// The parameters ExportDirectory and ExportSettingData of
//   ExportSnapshot:        Msvm_CollectionSnapshotExportSettingData
//   ExportReferencePoint:  Msvm_CollectionReferencePointExportSettingData
// as a request for what `snapshot`, which may be a reference point, holds. kInvalidArgument and kUnsupported name what
// cannot be; kNotFound a base, a machine or a disk that is not there; kPermission: a directory that is not meant for
// exports.
[[nodiscard]] Result<service::ExportRequest> export_request_in(const MethodCall& call, const Snapshot& snapshot,
                                                               service::StateStore& state, const ExportRoots& roots);

}  // namespace cohort::provider
