#include "provider/element_setting_data.h"

#include <set>

#include "provider/paths.h"
#include "provider/snapshot_collection.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kIs = 1;
constexpr std::uint16_t kIsNot = 2;

cim::Instance pair_for(const MachineId& machine, cim::ObjectPath settings, std::uint16_t is_current) {
  auto pair = pair_of("Msvm_ElementSettingData", "ManagedElement", path_of_machine(machine), "SettingData",
                      std::move(settings));
  pair.set("IsDefault", cim::Value(kIsNot));
  pair.set("IsCurrent", cim::Value(is_current));
  pair.set("IsNext", cim::Value(is_current));
  return pair;
}

}  // namespace

Result<std::vector<cim::Instance>> ElementSettingDataProvider::instances() {
  COHORT_ASSIGN(const auto conditions, machines_.conditions());
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(state_));
  std::vector<cim::Instance> pairs;
  std::set<MachineId> there;
  for (const auto& each : conditions) {
    there.insert(each.id);
    pairs.push_back(pair_for(each.id, path_of_settings(each.id), kIs));
  }
  for (const Snapshot& snapshot : snapshots) {
    for (const MemberSnapshot& member : snapshot.members) {
      if (!there.contains(member.machine)) continue;
      pairs.push_back(pair_for(member.machine, path_of_snapshot_settings(snapshot.id, member.machine), kIsNot));
    }
  }
  return pairs;
}

}  // namespace cohort::provider
