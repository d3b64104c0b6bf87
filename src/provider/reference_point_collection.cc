#include "provider/reference_point_collection.h"

#include "provider/paths.h"
#include "provider/reached_consistency.h"

namespace cohort::provider {
namespace {

using cim::Value;

constexpr std::uint16_t kRctBased = 2;

// The pages of the two classes number the levels the other way round.
std::uint16_t level_of(const Snapshot& point) { return is_application_consistent(point) ? 2 : 1; }
std::uint16_t level_of(const MemberSnapshot& member) { return is_application_consistent(member) ? 1 : 2; }

cim::Instance instance_of(const Snapshot& point) {
  cim::Instance instance;
  instance.class_name = "Msvm_ReferencePointCollection";
  instance.set("InstanceID", Value(upper(point.reference_point.str())));
  instance.set("CollectionID", Value(upper(point.reference_point.str())));
  instance.set("VirtualSystemCollectionId", Value(upper(point.collection.str())));
  instance.set("ElementName", Value(point.name));
  instance.set("Caption", Value("Reference Point Collection"));
  instance.set("Description", Value("Reference point of " + point.collection_name));
  instance.set("ReferencePointType", Value(kRctBased));
  instance.set("ConsistencyLevel", Value(level_of(point)));
  instance.set("HasAssociatedLog", Value(false));
  return instance;
}

cim::Instance instance_of(const Snapshot& point, const MemberSnapshot& member) {
  std::vector<std::string> disks;
  std::vector<std::string> trackings;
  for (const DiskSnapshot& disk : member.disks) {
    disks.push_back(upper(disk.id.str()));
    trackings.push_back(upper(disk.tracking_id.str()));
  }
  cim::Instance instance;
  instance.class_name = "Msvm_VirtualSystemReferencePoint";
  instance.set("InstanceID", Value(reference_point_id(point.reference_point, member.machine)));
  instance.set("VirtualSystemIdentifier", Value(upper(member.machine.str())));
  instance.set("ElementName", Value(member.name));
  instance.set("Caption", Value("Reference Point"));
  instance.set("ReferencePointType", Value(kRctBased));
  instance.set("ConsistencyLevel", Value(level_of(member)));
  // The frozen files are the point itself: there is nothing that could go and leave it.
  instance.set("HasAssociatedData", Value(false));
  instance.set("VirtualDiskIdentifiers", Value::array_of(disks));
  instance.set("ResilientChangeTrackingIdentifiers", Value::array_of(trackings));
  return instance;
}

}  // namespace

Result<std::vector<Snapshot>> ready_reference_points(service::StateStore& state) {
  COHORT_ASSIGN(auto all, state.snapshots());
  std::erase_if(all,
                [](const Snapshot& each) { return each.state != SnapshotState::kReady || !is_reference_point(each); });
  return all;
}

Result<std::vector<cim::Instance>> ReferencePointCollectionProvider::instances() {
  COHORT_ASSIGN(const auto points, ready_reference_points(state_));
  std::vector<cim::Instance> all;
  for (const Snapshot& each : points) all.push_back(instance_of(each));
  return all;
}

Result<std::vector<cim::Instance>> VirtualSystemReferencePointProvider::instances() {
  COHORT_ASSIGN(const auto points, ready_reference_points(state_));
  std::vector<cim::Instance> all;
  for (const Snapshot& point : points) {
    for (const MemberSnapshot& member : point.members) all.push_back(instance_of(point, member));
  }
  return all;
}

}  // namespace cohort::provider
