// Msvm_CollectionReferencePointService: makes, exports and removes reference points of collections, each as a job.
#pragma once

#include "provider/export_roots.h"
#include "provider/service_provider.h"
#include "service/background_jobs.h"
#include "service/operations.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class CollectionReferencePointService final : public ServiceProvider {
 public:
  CollectionReferencePointService(service::Operations& operations, service::BackgroundJobs& jobs,
                                  service::StateStore& state, const ExportRoots& roots,
                                  const ServiceSurroundings& surroundings);

 private:
  [[nodiscard]] Result<cim::MethodResult> create_reference_point(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> export_reference_point(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> destroy_reference_point(const MethodCall& call);
  [[nodiscard]] Result<Snapshot> point_in(const MethodCall& call, std::string_view parameter);

  service::Operations& operations_;
  service::BackgroundJobs& jobs_;
  service::StateStore& state_;
  const ExportRoots& roots_;
};

}  // namespace cohort::provider
