#include "provider/collected_virtual_systems.h"

#include <algorithm>

#include "provider/paths.h"

namespace cohort::provider {
namespace {

std::vector<cim::ObjectPath> members_of(const Collection& collection, const std::vector<Collection>& all) {
  std::vector<cim::ObjectPath> members;
  for (const MachineMember& machine : collection.machines) members.push_back(path_of_machine(machine.id));
  for (const CollectionId& id : collection.collections) {
    const auto inner = std::ranges::find(all, id, &Collection::id);
    if (inner != all.end()) members.push_back(path_of_collection(id, inner->kind));
  }
  return members;
}

}  // namespace

std::string_view CollectionMemberProvider::class_name() const {
  return kind_ == CollectionKind::kMachines ? "Msvm_CollectedVirtualSystems" : "Msvm_CollectedCollections";
}

Result<std::vector<cim::Instance>> CollectionMemberProvider::instances() {
  COHORT_ASSIGN(const auto collections, state_.collections());
  std::vector<cim::Instance> pairs;
  for (const Collection& each : collections) {
    if (each.kind != kind_) continue;
    for (auto& member : members_of(each, collections)) {
      pairs.push_back(
          pair_of(class_name(), "Collection", path_of_collection(each.id, kind_), "Member", std::move(member)));
    }
  }
  return pairs;
}

}  // namespace cohort::provider
