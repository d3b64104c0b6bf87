// Msvm_CollectionSnapshotService: takes, exports, converts, applies and removes snapshots of collections, each as a
// job.
#pragma once

#include "provider/export_roots.h"
#include "provider/service_provider.h"
#include "service/background_jobs.h"
#include "service/operations.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

class CollectionSnapshotService final : public ServiceProvider {
 public:
  CollectionSnapshotService(service::Operations& operations, service::BackgroundJobs& jobs, service::StateStore& state,
                            const ExportRoots& roots, const ServiceSurroundings& surroundings);

 private:
  [[nodiscard]] Result<cim::MethodResult> create_snapshot(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> export_snapshot(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> convert_to_reference_point(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> apply_snapshot(const MethodCall& call);
  [[nodiscard]] Result<cim::MethodResult> destroy_snapshot(const MethodCall& call);
  // The snapshot that a parameter names, which is ready.
  [[nodiscard]] Result<Snapshot> snapshot_in(const MethodCall& call, std::string_view parameter);

  service::Operations& operations_;
  service::BackgroundJobs& jobs_;
  service::StateStore& state_;
  const ExportRoots& roots_;
};

}  // namespace cohort::provider
