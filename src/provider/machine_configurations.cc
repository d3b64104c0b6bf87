#include "provider/machine_configurations.h"

#include <algorithm>
#include <utility>

#include "provider/found.h"
#include "provider/paths.h"
#include "provider/snapshot_collection.h"

namespace cohort::provider {
namespace {

constexpr std::string_view kPrefix = "Microsoft:";
constexpr std::size_t kUuidLength = 36;

}  // namespace

std::optional<ConfigurationKey> configuration_key(std::string_view instance_id) {
  if (!cim::same_name(instance_id.substr(0, kPrefix.size()), kPrefix)) return std::nullopt;
  std::string_view rest = instance_id.substr(kPrefix.size());
  rest = rest.substr(0, rest.find('\\'));
  const auto machine = MachineId::parse(rest);
  if (machine) return ConfigurationKey{*machine, std::nullopt};
  if (rest.size() != 2 * kUuidLength + 1 || rest[kUuidLength] != ':') return std::nullopt;
  const auto snapshot = SnapshotId::parse(rest.substr(0, kUuidLength));
  const auto member = MachineId::parse(rest.substr(kUuidLength + 1));
  if (!snapshot || !member) return std::nullopt;
  return ConfigurationKey{*member, *snapshot};
}

std::optional<ConfigurationKey> configuration_key(const cim::ObjectPath& path) {
  const cim::Value* value = path.key("InstanceID");
  const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
  return text == nullptr ? std::nullopt : configuration_key(*text);
}

Result<std::optional<MachineConfiguration>> MachineConfigurations::current(const MachineId& machine) {
  COHORT_ASSIGN(auto hardware, if_found(machines_.hardware(machine)));
  if (!hardware) return std::nullopt;
  return MachineConfiguration{settings_id(machine), path_of_settings(machine), *std::move(hardware), std::nullopt};
}

Result<MachineConfiguration> MachineConfigurations::kept(const Snapshot& snapshot, const MemberSnapshot& member,
                                                         const SnapshotBranches& branches) {
  auto hardware = machines_.hardware_in(member.configuration);
  if (!hardware) {
    return Failure(std::move(hardware).error().with_context(
        fmt::format("reading what the snapshot \"{}\" keeps of \"{}\"", snapshot.name, member.name)));
  }
  MachineConfiguration::Taken taken{snapshot.id, snapshot.kind, snapshot.name, snapshot.instant, member.disks, {}};
  if (const Snapshot* parent = branches.parent_of(snapshot, member.machine)) {
    taken.parent = path_of_snapshot_settings(parent->id, member.machine);
  }
  return MachineConfiguration{snapshot_settings_id(snapshot.id, member.machine),
                              path_of_snapshot_settings(snapshot.id, member.machine), *std::move(hardware),
                              std::move(taken)};
}

Result<std::optional<MachineConfiguration>> MachineConfigurations::kept(const SnapshotId& id,
                                                                        const MachineId& machine) {
  COHORT_ASSIGN(const auto snapshot, if_found(store_.snapshot(id)));
  if (!snapshot || !is_shown_snapshot(*snapshot)) return std::nullopt;
  const auto member = std::ranges::find(snapshot->members, machine, &MemberSnapshot::machine);
  if (member == snapshot->members.end()) return std::nullopt;
  COHORT_ASSIGN(auto others, below(*snapshot, machine));
  return kept(*snapshot, *member, SnapshotBranches(std::move(others)));
}

// Not all there are: that would make a list of all settings quadratic.
Result<std::vector<Snapshot>> MachineConfigurations::below(const Snapshot& snapshot, const MachineId& machine) {
  std::vector<Snapshot> found;
  for (auto next = snapshot.parent; next;) {
    COHORT_ASSIGN(auto one, if_found(store_.snapshot(*next)));
    if (!one) break;
    const bool is_last = is_shown_snapshot(*one) && has_machine(*one, machine);
    next = is_last ? std::nullopt : one->parent;
    found.push_back(*std::move(one));
  }
  return found;
}

Result<std::optional<MachineConfiguration>> MachineConfigurations::find(const ConfigurationKey& key) {
  return key.snapshot ? kept(*key.snapshot, key.machine) : current(key.machine);
}

Result<void> MachineConfigurations::visit(const std::function<void(const MachineConfiguration&)>& visitor) {
  COHORT_ASSIGN(const auto machines, machines_.conditions());
  for (const auto& machine : machines) {
    COHORT_ASSIGN(const auto configuration, current(machine.id));
    if (configuration) visitor(*configuration);
  }
  COHORT_ASSIGN(auto snapshots, store_.snapshots());
  const SnapshotBranches branches(std::move(snapshots));
  for (const Snapshot* snapshot : branches.shown()) {
    for (const auto& member : snapshot->members) {
      COHORT_ASSIGN(const auto configuration, kept(*snapshot, member, branches));
      visitor(configuration);
    }
  }
  return {};
}

Result<std::vector<MachineConfiguration>> MachineConfigurations::all() {
  std::vector<MachineConfiguration> found;
  COHORT_TRY(visit([&](const MachineConfiguration& each) { found.push_back(each); }));
  return found;
}

Result<std::vector<std::string>> MachineConfigurations::settings_ids() {
  std::vector<std::string> ids;
  COHORT_ASSIGN(const auto machines, machines_.conditions());
  for (const auto& machine : machines) ids.push_back(settings_id(machine.id));
  COHORT_ASSIGN(const auto snapshots, ready_snapshots(store_));
  for (const auto& snapshot : snapshots) {
    for (const auto& member : snapshot.members) ids.push_back(snapshot_settings_id(snapshot.id, member.machine));
  }
  return ids;
}

Result<std::vector<MachineConfiguration>> MachineConfigurations::snapshots_of(const MachineId& machine) {
  std::vector<MachineConfiguration> found;
  COHORT_ASSIGN(auto snapshots, store_.snapshots());
  const SnapshotBranches branches(std::move(snapshots));
  for (const Snapshot* snapshot : branches.shown()) {
    const auto member = std::ranges::find(snapshot->members, machine, &MemberSnapshot::machine);
    if (member == snapshot->members.end()) continue;
    COHORT_ASSIGN(auto configuration, kept(*snapshot, *member, branches));
    found.push_back(std::move(configuration));
  }
  return found;
}

}  // namespace cohort::provider
