#include "provider/collection_providers.h"

#include <memory>

#include "provider/affected_job_element.h"
#include "provider/collected_reference_points.h"
#include "provider/collected_snapshots.h"
#include "provider/collected_virtual_systems.h"
#include "provider/collection_management_service.h"
#include "provider/collection_reference_point_service.h"
#include "provider/collection_snapshot_service.h"
#include "provider/concrete_job.h"
#include "provider/package_service.h"
#include "provider/reference_point_collection.h"
#include "provider/snapshot_collection.h"
#include "provider/snapshot_fence.h"
#include "provider/virtual_system_collection.h"

namespace cohort::provider {

void add_collection_providers(Broker& broker, const CollectionProviderNeeds& needs) {
  const auto add = [&](std::unique_ptr<ClassProvider> provider) {
    broker.add(cim::kVirtualizationNamespace, std::move(provider));
  };
  service::StateStore& state = needs.state;
  for (const auto kind : {CollectionKind::kMachines, CollectionKind::kCollections}) {
    add(std::make_unique<CollectionProvider>(kind, needs.operations.collections, state));
    add(std::make_unique<CollectionMemberProvider>(kind, state));
  }
  add(std::make_unique<CollectionManagementService>(needs.operations.collections, needs.surroundings));
  add(std::make_unique<SnapshotCollectionProvider>(state));
  add(std::make_unique<CollectedSnapshotsProvider>(state));
  add(std::make_unique<SnapshotOfCollectionProvider>(state));
  add(std::make_unique<CollectionSnapshotService>(needs.operations, needs.jobs, state, needs.roots,
                                                  needs.surroundings));
  add(std::make_unique<ReferencePointCollectionProvider>(state));
  add(std::make_unique<VirtualSystemReferencePointProvider>(state));
  add(std::make_unique<CollectedReferencePointsProvider>(state));
  add(std::make_unique<ReferencePointOfCollectionProvider>(state));
  add(std::make_unique<ReferencePointOfMachineProvider>(state));
  add(std::make_unique<CollectionReferencePointService>(needs.operations, needs.jobs, state, needs.roots,
                                                        needs.surroundings));
  add(std::make_unique<SnapshotFenceProvider>(state));
  add(std::make_unique<MemberPauseProvider>(state));
  add(std::make_unique<FenceOfSnapshotProvider>(state));
  add(std::make_unique<PauseInFenceProvider>(state));
  add(std::make_unique<PackageService>(needs.operations, needs.jobs, needs.roots, needs.surroundings));
  add(std::make_unique<ConcreteJobProvider>(JobClass::kConcrete, state, needs.clock));
  add(std::make_unique<ConcreteJobProvider>(JobClass::kReferencePointExport, state, needs.clock));
  add(std::make_unique<AffectedJobElementProvider>(state));
  add(std::make_unique<OwningJobElementProvider>(state, needs.surroundings.host_name));
}

}  // namespace cohort::provider
