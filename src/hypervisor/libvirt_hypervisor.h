// Virtual machines through libvirt.
#pragma once

#include <memory>
#include <string>

#include "service/ports/guard.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

// Connects at once: kHypervisor with the remedy if that fails ("Is libvirtd running? …"), kInvalidArgument for a URI
// libvirt does not know. Several connections are used, since libvirtd runs at most five calls of one at a time.
[[nodiscard]] Result<std::unique_ptr<service::Hypervisor>> open_libvirt(const std::string& uri);

// Where the guard program lies: beside this one in a build folder, and in libexec when installed.
[[nodiscard]] Path guard_program();

// Guards by the program `cohort-guard`, which is looked for at `program`.
[[nodiscard]] std::unique_ptr<service::Guard> make_process_guard(const std::string& uri, const Path& program);

}  // namespace cohort::hypervisor
