// The configurations that clients see as settings: that of each machine, and those that the snapshots of collections
// keep.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cim/value.h"
#include "domain/machine_hardware.h"
#include "domain/snapshot.h"
#include "provider/snapshot_branches.h"
#include "service/ports/machine_control.h"
#include "service/ports/state_store.h"

namespace cohort::provider {

struct MachineConfiguration {
  // What it was taken from.
  struct Taken {
    SnapshotId id;
    SnapshotKind kind = SnapshotKind::kRecovery;
    std::string name;
    WallTime instant;
    std::vector<DiskSnapshot> disks;
    std::optional<cim::ObjectPath> parent;  // the settings that the one before it keeps of the machine
  };

  std::string settings_id;  // the InstanceID of its settings, and what those of its parts begin with
  cim::ObjectPath path;     // of its Msvm_VirtualSystemSettingData
  MachineHardware hardware;
  std::optional<Taken> taken;  // nothing: the machine has it now
};

// Which configuration an InstanceID is about: "Microsoft:<machine>", "Microsoft:<snapshot>:<machine>", each also with
// "\<part>" behind it.
struct ConfigurationKey {
  MachineId machine;
  std::optional<SnapshotId> snapshot;
};
[[nodiscard]] std::optional<ConfigurationKey> configuration_key(std::string_view instance_id);
// The key in a path's InstanceID.
[[nodiscard]] std::optional<ConfigurationKey> configuration_key(const cim::ObjectPath& path);

// Snapshots are told of from when they are whole until they are deleted. Copies are cheap.
// Threads: safe to call from several at once.
class MachineConfigurations {
 public:
  // The two must outlive this object and its copies.
  MachineConfigurations(service::MachineControl& machines, service::StateStore& store)
      : machines_(machines), store_(store) {}

  [[nodiscard]] Result<std::vector<MachineConfiguration>> all();
  // The same, one at a time.
  [[nodiscard]] Result<void> visit(const std::function<void(const MachineConfiguration&)>& visitor);
  // Those of all, without reading them.
  [[nodiscard]] Result<std::vector<std::string>> settings_ids();
  // Nothing if there is no such machine, or no such snapshot of it.
  [[nodiscard]] Result<std::optional<MachineConfiguration>> find(const ConfigurationKey& key);
  // Those that snapshots keep of a machine, oldest first; the machine itself may be gone.
  [[nodiscard]] Result<std::vector<MachineConfiguration>> snapshots_of(const MachineId& machine);

 private:
  [[nodiscard]] Result<std::optional<MachineConfiguration>> current(const MachineId& machine);
  [[nodiscard]] Result<MachineConfiguration> kept(const Snapshot& snapshot, const MemberSnapshot& member,
                                                  const SnapshotBranches& branches);
  [[nodiscard]] Result<std::optional<MachineConfiguration>> kept(const SnapshotId& snapshot, const MachineId& machine);
  // The snapshots on the way from its parent down, as far as one that is shown and has the machine.
  [[nodiscard]] Result<std::vector<Snapshot>> below(const Snapshot& snapshot, const MachineId& machine);

  service::MachineControl& machines_;
  service::StateStore& store_;
};

}  // namespace cohort::provider
