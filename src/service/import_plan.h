// What an import would make, checked before anything is made.
#pragma once

#include "package/manifest.h"
#include "package/package_folder.h"
#include "service/import_package.h"

namespace cohort::service {

// The manifest, and for each of its machines (in their order) the name, disks and places of the copy.
struct PreparedImport {
  package::PackageFolder folder;
  package::Manifest manifest;
  std::vector<std::string> configurations;  // of the machines, read from the package
  ImportPlan plan;
};

// Fails with what is in the way, naming it: see ImportPackage::plan. The package has not been verified then: no image
// is opened but for its head, and nothing that it names.
[[nodiscard]] Result<PreparedImport> prepare_import(const ImportRequest& request, Hypervisor& hypervisor,
                                                    DiskCopier& copier);

// Where the copy's NVRAM goes.
[[nodiscard]] Path nvram_place(const Path& storage, const std::string& machine_name);

}  // namespace cohort::service
