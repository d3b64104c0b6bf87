// What an import would make, checked before anything is made.
#pragma once

#include <stop_token>

#include "service/import_package.h"
#include "service/opened_package.h"

namespace cohort::service {

// The manifest, and for each of its machines (in their order) the name, disks and places of the copy.
struct PreparedImport {
  OpenedPackage package;
  ImportPlan plan;
};

// Fails with what is in the way, naming it: see ImportPackage::plan; kCancelled. The package has not been verified
// then: no image is opened but for its head, and nothing that it names.
[[nodiscard]] Result<PreparedImport> prepare_import(const ImportRequest& request, Hypervisor& hypervisor,
                                                    DiskCopier& copier, const std::stop_token& stop);

}  // namespace cohort::service
