// All operations over one state, put together; what a process needs before it may change anything.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "service/operations.h"

namespace cohort::client {

// What is given by reference outlives the operations.
[[nodiscard]] std::unique_ptr<service::Operations> make_operations(const std::string& uri, service::StateStore& state,
                                                                   service::Hypervisor& hypervisor,
                                                                   service::DiskCopier& copier, const Clock& clock);

// Completes or undoes what a crash has left, and removes what killed processes left in this host's runtime folders.
// REQUIRES: the state was opened for writing, and nothing has been done with it. Fails as service::recover does.
[[nodiscard]] Result<service::UndoReport> recover_all(service::StateStore& state, service::Operations& operations,
                                                      const Clock& clock);

}  // namespace cohort::client
