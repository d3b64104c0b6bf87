#include "provider/service_affects_element.h"

#include "provider/paths.h"
#include "provider/reference_point_collection.h"
#include "provider/snapshot_collection.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kManages = 5;

}  // namespace

Result<std::vector<cim::Instance>> ServiceAffectsElementProvider::instances() {
  std::vector<cim::Instance> pairs;
  const auto add = [&](std::string_view service, cim::ObjectPath what) {
    auto pair = pair_of(class_name(), "AffectedElement", std::move(what), "AffectingElement",
                        path_of_service(service, host_name_));
    pair.set("ElementEffects", cim::Value::array_of(std::vector{kManages}));
    pairs.push_back(std::move(pair));
  };
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  for (const auto& each : conditions) add("Msvm_VirtualSystemManagementService", path_of_machine(each.id));
  COHORT_ASSIGN(const auto collections, state_.collections());
  for (const Collection& each : collections) {
    add("Msvm_CollectionManagementService", path_of_collection(each.id, each.kind));
  }
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  for (const Snapshot& each : snapshots) add("Msvm_CollectionSnapshotService", path_of_snapshot(each.id));
  COHORT_ASSIGN(const auto points, ready_reference_points(state_));
  for (const Snapshot& each : points) {
    add("Msvm_CollectionReferencePointService", path_of_reference_point(each.reference_point, each.collection));
  }
  return pairs;
}

}  // namespace cohort::provider
