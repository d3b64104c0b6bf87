// What Msvm_CollectionReferencePointExportJob tells of the reference point and of its package.
#pragma once

#include "domain/job.h"
#include "provider/provider.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// The files are those of the package, as long as it lies where it was written to.
[[nodiscard]] Result<void> add_exported_reference_point(const Job& job, service::StateStore& state,
                                                        cim::Instance& instance);

}  // namespace cohort::provider
