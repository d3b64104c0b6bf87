#include "provider/snapshot_fence.h"

#include "provider/paths.h"
#include "provider/snapshot_collection.h"

namespace cohort::provider {
namespace {

using cim::Value;

cim::ObjectPath path_with_id(std::string_view class_name, std::string id) {
  cim::ObjectPath path;
  path.namespace_name = "root/virtualization/v2";
  path.class_name = class_name;
  path.keys = {{"InstanceID", Value(std::move(id))}};
  return path;
}

cim::ObjectPath path_of_fence(const Snapshot& snapshot) {
  return path_with_id("Cohort_SnapshotFence", upper(snapshot.id.str()));
}

cim::ObjectPath path_of_pause(const Snapshot& snapshot, const MemberSnapshot& member) {
  return path_with_id("Cohort_MemberPause", snapshot_settings_id(snapshot.id, member.machine));
}

cim::Instance fence_of(const Snapshot& snapshot) {
  const FenceRecord& fence = snapshot.fence;
  cim::Instance instance;
  instance.class_name = "Cohort_SnapshotFence";
  instance.set("InstanceID", Value(upper(snapshot.id.str())));
  instance.set("ElementName", Value(snapshot.name));
  instance.set("Deadline", Value(static_cast<std::uint64_t>(fence.deadline.count())));
  instance.set("Raised", Value(static_cast<std::uint64_t>(fence.raised.count())));
  if (fence.overlap_begin) instance.set("OverlapBegin", Value(cim::Datetime::at(*fence.overlap_begin)));
  if (fence.overlap_end) instance.set("OverlapEnd", Value(cim::Datetime::at(*fence.overlap_end)));
  instance.set("IsProven", Value(fence.is_proven()));
  instance.set("AskedConsistency", Value(to_string(snapshot.asked)));
  return instance;
}

cim::Instance pause_of(const Snapshot& snapshot, const MemberSnapshot& member) {
  cim::Instance instance;
  instance.class_name = "Cohort_MemberPause";
  instance.set("InstanceID", Value(snapshot_settings_id(snapshot.id, member.machine)));
  instance.set("ElementName", Value(member.name));
  instance.set("VirtualSystemIdentifier", Value(upper(member.machine.str())));
  if (member.pause) {
    instance.set("Stopped", Value(cim::Datetime::at(member.pause->stopped)));
    instance.set("Resumed", Value(cim::Datetime::at(member.pause->resumed)));
    instance.set("Length", Value(static_cast<std::uint64_t>(member.pause->length().count())));
  }
  instance.set("Consistency", Value(to_string(member.consistency.level)));
  if (!member.consistency.reason.empty()) instance.set("ConsistencyReason", Value(member.consistency.reason));
  return instance;
}

}  // namespace

Result<std::vector<cim::Instance>> SnapshotFenceProvider::instances() {
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> all;
  for (const Snapshot& each : snapshots) all.push_back(fence_of(each));
  return all;
}

Result<std::vector<cim::Instance>> MemberPauseProvider::instances() {
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> all;
  for (const Snapshot& snapshot : snapshots) {
    for (const MemberSnapshot& member : snapshot.members) all.push_back(pause_of(snapshot, member));
  }
  return all;
}

Result<std::vector<cim::Instance>> FenceOfSnapshotProvider::instances() {
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> pairs;
  for (const Snapshot& each : snapshots) {
    pairs.push_back(pair_of(class_name(), "Antecedent", path_of_snapshot(each.id), "Dependent", path_of_fence(each)));
  }
  return pairs;
}

Result<std::vector<cim::Instance>> PauseInFenceProvider::instances() {
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> pairs;
  for (const Snapshot& snapshot : snapshots) {
    for (const MemberSnapshot& member : snapshot.members) {
      pairs.push_back(pair_of(class_name(), "GroupComponent", path_of_fence(snapshot), "PartComponent",
                              path_of_pause(snapshot, member)));
    }
  }
  return pairs;
}

}  // namespace cohort::provider
