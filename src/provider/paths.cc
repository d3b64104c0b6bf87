#include "provider/paths.h"

#include <algorithm>

namespace cohort::provider {
namespace {

cim::ObjectPath path_with(std::string_view class_name, std::vector<cim::NamedValue> keys) {
  cim::ObjectPath path;
  path.namespace_name = "root/virtualization/v2";
  path.class_name = class_name;
  path.keys = std::move(keys);
  return path;
}

cim::ObjectPath path_of_system(std::string name) {
  return path_with("Msvm_ComputerSystem",
                   {{"CreationClassName", cim::Value("Msvm_ComputerSystem")}, {"Name", cim::Value(std::move(name))}});
}

// As Hyper-V calls them, as far as that is known: some clients write the keys of a service by themselves.
const char* name_of_service(std::string_view class_name) {
  if (class_name == "Msvm_VirtualSystemSnapshotService") return "vssnapsvc";
  if (class_name == "Msvm_CollectionManagementService") return "collectionsvc";
  return "vmms";
}

}  // namespace

std::string upper(std::string_view uuid) {
  std::string text(uuid);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::string settings_id(const MachineId& machine) { return "Microsoft:" + upper(machine.str()); }

std::string reference_point_id(const ReferencePointId& point, const MachineId& machine) {
  return "Microsoft:" + upper(point.str()) + ":" + upper(machine.str());
}

std::string snapshot_settings_id(const SnapshotId& snapshot, const MachineId& machine) {
  return "Microsoft:" + upper(snapshot.str()) + ":" + upper(machine.str());
}

cim::ObjectPath path_of_host(const std::string& host_name) { return path_of_system(host_name); }

cim::ObjectPath path_of_machine(const MachineId& machine) { return path_of_system(upper(machine.str())); }

cim::ObjectPath path_of_shutdown_component(const MachineId& machine) {
  return path_with("Msvm_ShutdownComponent", {{"SystemCreationClassName", cim::Value("Msvm_ComputerSystem")},
                                              {"SystemName", cim::Value(upper(machine.str()))},
                                              {"CreationClassName", cim::Value("Msvm_ShutdownComponent")},
                                              {"DeviceID", cim::Value(settings_id(machine) + "\\Shutdown")}});
}

cim::ObjectPath path_of_settings(const MachineId& machine) {
  return path_with("Msvm_VirtualSystemSettingData", {{"InstanceID", cim::Value(settings_id(machine))}});
}

cim::ObjectPath path_of_snapshot_settings(const SnapshotId& snapshot, const MachineId& machine) {
  return path_with("Msvm_VirtualSystemSettingData",
                   {{"InstanceID", cim::Value(snapshot_settings_id(snapshot, machine))}});
}

cim::ObjectPath path_of_collection(const CollectionId& collection, CollectionKind kind) {
  const auto* const name =
      kind == CollectionKind::kMachines ? "Msvm_VirtualSystemCollection" : "Msvm_ManagementCollection";
  return path_with(name, {{"CollectionID", cim::Value(upper(collection.str()))}});
}

cim::ObjectPath path_of_snapshot(const SnapshotId& snapshot) {
  return path_with("Msvm_SnapshotCollection", {{"CollectionID", cim::Value(upper(snapshot.str()))}});
}

cim::ObjectPath path_of_reference_point(const ReferencePointId& point, const CollectionId& collection) {
  return path_with("Msvm_ReferencePointCollection",
                   {{"CollectionID", cim::Value(upper(point.str()))},
                    {"VirtualSystemCollectionId", cim::Value(upper(collection.str()))}});
}

cim::ObjectPath path_of_reference_point(const ReferencePointId& point, const MachineId& machine) {
  return path_with("Msvm_VirtualSystemReferencePoint", {{"InstanceID", cim::Value(reference_point_id(point, machine))},
                                                        {"VirtualSystemIdentifier", cim::Value(upper(machine.str()))}});
}

cim::ObjectPath path_of_job(const Job& job) {
  const auto* const name =
      job.type == JobType::kExportReferencePoint ? "Msvm_CollectionReferencePointExportJob" : "Msvm_ConcreteJob";
  return path_with(name, {{"InstanceID", cim::Value(upper(job.id.str()))}});
}

cim::ObjectPath path_of_service(std::string_view class_name, const std::string& host_name) {
  return path_with(class_name, {{"SystemCreationClassName", cim::Value("Msvm_ComputerSystem")},
                                {"SystemName", cim::Value(host_name)},
                                {"CreationClassName", cim::Value(class_name)},
                                {"Name", cim::Value(name_of_service(class_name))}});
}

cim::Instance pair_of(std::string_view association, std::string_view first_role, cim::ObjectPath first,
                      std::string_view second_role, cim::ObjectPath second) {
  cim::Instance pair;
  pair.class_name = association;
  pair.set(first_role, cim::Value(std::move(first)));
  pair.set(second_role, cim::Value(std::move(second)));
  return pair;
}

}  // namespace cohort::provider
