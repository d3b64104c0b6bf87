// What a try would make, checked before anything is made.
#pragma once

#include "service/opened_package.h"
#include "service/try_package.h"

namespace cohort::service {

struct PreparedTry {
  OpenedPackage package;  // only the machines that are tried
  TryPlan plan;           // in the same order
};

// `scratch` is the folder for what the machines write when the request names none. Fails as open_package(); kNotFound
// for a machine that the package does not have, or if the folder that the request names is not there; kUnsupported if
// agents are to be waited for, and a machine has no channel for one.
[[nodiscard]] Result<PreparedTry> prepare_try(const TryRequest& request, const Path& scratch, Hypervisor& hypervisor);

}  // namespace cohort::service
