#include "provider/collected_reference_points.h"

#include <algorithm>

#include "provider/paths.h"
#include "provider/reference_point_collection.h"

namespace cohort::provider {

Result<std::vector<cim::Instance>> CollectedReferencePointsProvider::instances() {
  COHORT_ASSIGN(const auto points, ready_reference_points(state_));
  std::vector<cim::Instance> pairs;
  for (const Snapshot& point : points) {
    for (const MemberSnapshot& member : point.members) {
      pairs.push_back(pair_of(class_name(), "Collection",
                              path_of_reference_point(point.reference_point, point.collection), "Member",
                              path_of_reference_point(point.reference_point, member.machine)));
    }
  }
  return pairs;
}

Result<std::vector<cim::Instance>> ReferencePointOfCollectionProvider::instances() {
  COHORT_ASSIGN(const auto points, ready_reference_points(state_));
  COHORT_ASSIGN(const auto collections, state_.collections());
  std::vector<cim::Instance> pairs;
  for (const Snapshot& point : points) {
    const auto of = std::ranges::find(collections, point.collection, &Collection::id);
    if (of == collections.end()) continue;
    pairs.push_back(pair_of(class_name(), "Antecedent", path_of_collection(of->id, of->kind), "Dependent",
                            path_of_reference_point(point.reference_point, point.collection)));
  }
  return pairs;
}

Result<std::vector<cim::Instance>> ReferencePointOfMachineProvider::instances() {
  COHORT_ASSIGN(const auto points, ready_reference_points(state_));
  std::vector<cim::Instance> pairs;
  for (const Snapshot& point : points) {
    for (const MemberSnapshot& member : point.members) {
      pairs.push_back(pair_of(class_name(), "Antecedent", path_of_machine(member.machine), "Dependent",
                              path_of_reference_point(point.reference_point, member.machine)));
    }
  }
  return pairs;
}

}  // namespace cohort::provider
