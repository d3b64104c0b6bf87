#include "provider/snapshot_collection.h"

#include "provider/found.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

cim::Instance instance_of(const Snapshot& snapshot) {
  const bool is_standard = snapshot.kind == SnapshotKind::kStandard;
  cim::Instance instance;
  instance.class_name = "Msvm_SnapshotCollection";
  instance.set("InstanceID", cim::Value(upper(snapshot.id.str())));
  instance.set("CollectionID", cim::Value(upper(snapshot.id.str())));
  instance.set("ElementName", cim::Value(snapshot.name));
  instance.set("Caption", cim::Value("Snapshot Collection"));
  instance.set("Description", cim::Value(fmt::format("{} snapshot of {}", is_standard ? "Standard" : "Recovery",
                                                     snapshot.collection_name)));
  return instance;
}

}  // namespace

bool is_shown_snapshot(const Snapshot& snapshot) {
  return snapshot.state == SnapshotState::kReady && !is_reference_point(snapshot);
}

Result<std::vector<Snapshot>> ready_snapshots(service::StateStore& state) {
  COHORT_ASSIGN(auto snapshots, state.snapshots());
  std::erase_if(snapshots, [](const Snapshot& each) { return !is_shown_snapshot(each); });
  return snapshots;
}

Result<std::vector<cim::Instance>> SnapshotCollectionProvider::instances() {
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> all;
  for (const Snapshot& each : snapshots) all.push_back(instance_of(each));
  return all;
}

Result<std::optional<cim::Instance>> SnapshotCollectionProvider::find(const cim::ObjectPath& path) {
  const auto id = id_in<SnapshotId>(path, "CollectionID");
  if (!id) return std::nullopt;
  COHORT_ASSIGN(const auto snapshot, if_found(state_.snapshot(*id)));
  if (!snapshot || !is_shown_snapshot(*snapshot)) return std::nullopt;
  return instance_of(*snapshot);
}

}  // namespace cohort::provider
