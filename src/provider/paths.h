// The object paths by which the classes' instances know each other.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cim/value.h"
#include "domain/collection.h"
#include "domain/ids.h"
#include "domain/job.h"

namespace cohort::provider {

// "Msvm_ComputerSystem.CreationClassName=…,Name=…": the host, and its machines by UUID in upper case, as Hyper-V has
// it.
[[nodiscard]] cim::ObjectPath path_of_host(const std::string& host_name);
[[nodiscard]] cim::ObjectPath path_of_machine(const MachineId& machine);
// What asks the machine's guest to shut down.
[[nodiscard]] cim::ObjectPath path_of_shutdown_component(const MachineId& machine);
// Msvm_VirtualSystemSettingData: of the machine as it is, and as it was in a snapshot of its collection.
[[nodiscard]] cim::ObjectPath path_of_settings(const MachineId& machine);
[[nodiscard]] cim::ObjectPath path_of_snapshot_settings(const SnapshotId& snapshot, const MachineId& machine);
[[nodiscard]] cim::ObjectPath path_of_collection(const CollectionId& collection, CollectionKind kind);
[[nodiscard]] cim::ObjectPath path_of_snapshot(const SnapshotId& snapshot);
// Of the reference point of a collection, and of one machine in it.
[[nodiscard]] cim::ObjectPath path_of_reference_point(const ReferencePointId& point, const CollectionId& collection);
[[nodiscard]] cim::ObjectPath path_of_reference_point(const ReferencePointId& point, const MachineId& machine);
// An export of a reference point is of a class of its own.
[[nodiscard]] cim::ObjectPath path_of_job(const Job& job);
// A service of the host: "Msvm_CollectionSnapshotService.SystemName=…,Name=…,…".
[[nodiscard]] cim::ObjectPath path_of_service(std::string_view class_name, const std::string& host_name);

// "0F3A…" in upper case.
[[nodiscard]] std::string upper(std::string_view uuid);
// "Microsoft:<UUID>", and ":<UUID>" of the machine behind it for snapshots: the InstanceIDs of settings.
[[nodiscard]] std::string settings_id(const MachineId& machine);
[[nodiscard]] std::string reference_point_id(const ReferencePointId& point, const MachineId& machine);
[[nodiscard]] std::string snapshot_settings_id(const SnapshotId& snapshot, const MachineId& machine);

// The id in the key of a path; nothing if the key is not there or is no UUID.
template <typename Id>
[[nodiscard]] std::optional<Id> id_in(const cim::ObjectPath& path, std::string_view key) {
  const cim::Value* value = path.key(key);
  const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
  if (text == nullptr) return std::nullopt;
  const auto id = Id::parse(*text);
  return id ? std::optional<Id>(*id) : std::nullopt;
}

// Two ends of an association as an instance of it.
[[nodiscard]] cim::Instance pair_of(std::string_view association, std::string_view first_role, cim::ObjectPath first,
                                    std::string_view second_role, cim::ObjectPath second);

}  // namespace cohort::provider
