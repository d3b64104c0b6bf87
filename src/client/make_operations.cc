#include "client/make_operations.h"

#include "disk/socket_folder.h"
#include "hypervisor/guard_claim.h"
#include "hypervisor/libvirt_hypervisor.h"
#include "service/recover.h"

namespace cohort::client {

std::unique_ptr<service::Operations> make_operations(const std::string& uri, service::StateStore& state,
                                                     service::Hypervisor& hypervisor, service::DiskCopier& copier,
                                                     const Clock& clock) {
  auto guard = hypervisor::make_process_guard(uri, hypervisor::guard_program());
  return std::make_unique<service::Operations>(hypervisor, state, copier, std::move(guard), clock);
}

Result<service::UndoReport> recover_all(service::StateStore& state, service::Operations& operations,
                                        const Clock& clock) {
  hypervisor::GuardClaim::remove_left(hypervisor::guard_claim_folder());
  disk::SocketFolder::remove_left(disk::SocketFolder::usual_place());
  return service::recover(state, operations.undo, operations.engine, clock);
}

}  // namespace cohort::client
