// The providers of collections, their snapshots, and jobs.
#pragma once

#include "base/clock.h"
#include "provider/broker.h"
#include "provider/export_roots.h"
#include "provider/service_provider.h"
#include "service/background_jobs.h"
#include "service/operations.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

// All outlive the broker.
struct CollectionProviderNeeds {
  service::Operations& operations;
  service::BackgroundJobs& jobs;
  service::StateStore& state;
  const ExportRoots& roots;
  const Clock& clock;
  ServiceSurroundings surroundings;
};

void add_collection_providers(Broker& broker, const CollectionProviderNeeds& needs);

}  // namespace cohort::provider
