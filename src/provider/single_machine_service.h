// Msvm_VirtualSystemSnapshotService and Msvm_VirtualSystemReferencePointService: what is offered for collections alone.
// The services are there, so that clients find them; all their methods are "not supported", and say so.
#pragma once

#include <memory>
#include <string_view>

#include "provider/service_provider.h"

namespace cohort::provider {

[[nodiscard]] std::unique_ptr<ServiceProvider> make_single_snapshot_service(const ServiceSurroundings& surroundings);
[[nodiscard]] std::unique_ptr<ServiceProvider> make_single_reference_point_service(
    const ServiceSurroundings& surroundings);

}  // namespace cohort::provider
