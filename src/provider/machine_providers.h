// The providers of machines, their settings and resources, of the host, and of what root/interop tells.
#pragma once

#include <functional>

#include "base/clock.h"
#include "cim/schema.h"
#include "provider/broker.h"
#include "provider/host_facts.h"
#include "provider/service_provider.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// All outlive the broker.
struct MachineProviderNeeds {
  const cim::Schema& schema;
  service::Hypervisor& hypervisor;
  service::StateStore& state;
  const Clock& clock;
  std::function<HostFacts()> host_facts;  // called from any thread
  ServiceSurroundings surroundings;
};

void add_machine_providers(Broker& broker, const MachineProviderNeeds& needs);

}  // namespace cohort::provider
