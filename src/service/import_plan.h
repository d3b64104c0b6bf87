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
// then: an image that stands alone is not interpreted. Of a difference the tables are read, here and not by QEMU, to
// tell how large the copy becomes; nothing is opened that an image names.
[[nodiscard]] Result<PreparedImport> prepare_import(const ImportRequest& request, Hypervisor& hypervisor,
                                                    DiskCopier& copier, const std::stop_token& stop);

}  // namespace cohort::service
