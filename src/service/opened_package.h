// A package of which machines are about to be made.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "domain/refusal_kind.h"
#include "package/manifest.h"
#include "package/package_folder.h"
#include "service/job_context.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

struct PackagedMachine {
  package::MachineEntry entry;
  std::string configuration;  // accepted by Hypervisor::check_configuration, and of this machine
};

struct OpenedPackage {
  package::PackageFolder folder;
  package::Manifest manifest;
  std::vector<PackagedMachine> machines;  // in the order of the manifest
};

// Opens the package and checks the configurations of its machines. It has not been verified then: no image is opened.
// kUnsupported where the machines' disks would not be files of this host, or if a configuration is refused;
// kInvalidState if the package has no disks.
[[nodiscard]] Result<OpenedPackage> open_package(const Path& directory, const std::set<RefusalKind>& trusted,
                                                 Hypervisor& hypervisor);

// Reads every byte of it. kCorrupt if it is not whole, or not what was opened.
[[nodiscard]] Result<void> verify_opened(const OpenedPackage& opened, JobContext& job);

// A small file of a verified package. kCorrupt if it is not the same any more.
[[nodiscard]] Result<std::string> read_verified(const OpenedPackage& opened, const package::FileEntry& entry);

// kInvalidArgument for a name that libvirt might take, but that would make files elsewhere or could not be told apart
// by eye.
[[nodiscard]] Result<void> check_machine_name(const std::string& name);

}  // namespace cohort::service
