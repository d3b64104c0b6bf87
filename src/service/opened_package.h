// A package of which machines are about to be made.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "domain/machine.h"
#include "domain/refusal_kind.h"
#include "package/package_chain.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

struct PackagedMachine {
  package::MachineEntry entry;
  std::string configuration;  // accepted by Hypervisor::check_configuration, and of this machine
};

struct OpenedPackage {
  package::PackageChain chain;            // complete
  std::vector<PackagedMachine> machines;  // in the order of the manifest

  [[nodiscard]] const package::PackageFolder& folder() const { return chain.links.front().folder; }
  [[nodiscard]] const package::Manifest& manifest() const { return chain.links.front().manifest(); }
};

// Opens the package with its parents and checks the configurations of its machines. It has not been verified then: no
// image is opened. kUnsupported where the machines' disks would not be files of this host, or if a configuration is
// refused; kInvalidState if the package has no disks; kNotFound, kCorrupt if a parent is not there or not the one that
// was meant.
[[nodiscard]] Result<OpenedPackage> open_package(const Path& directory, const std::set<RefusalKind>& trusted,
                                                 Hypervisor& hypervisor);

// kInvalidArgument for a name that libvirt might take, but that would make files elsewhere or could not be told apart
// by eye.
[[nodiscard]] Result<void> check_machine_name(const std::string& name);

}  // namespace cohort::service
