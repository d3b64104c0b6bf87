#include "provider/access.h"

#include "domain/snapshot.h"
#include "provider/found.h"
#include "provider/machine_configurations.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

// What the keys of a class's instances name.
enum class Scope {
  kEverybody,      // nothing of a collection: the host, services
  kCollection,     // CollectionID
  kPoint,          // CollectionID of a snapshot or reference point
  kMachinePoint,   // InstanceID "Microsoft:<reference point>:<machine>"
  kSnapshot,       // InstanceID that is a snapshot's
  kSystem,         // Name of a machine, or of the host
  kDevice,         // SystemName of a machine
  kConfiguration,  // InstanceID "Microsoft:[<snapshot>:]<machine>[\part]"
  kJob,            // InstanceID
};

struct Row {
  std::string_view class_name;
  Scope scope;
};

constexpr Row kRows[] = {
    {"Msvm_VirtualSystemCollection", Scope::kCollection},
    {"Msvm_ManagementCollection", Scope::kCollection},
    {"Msvm_SnapshotCollection", Scope::kPoint},
    {"Msvm_ReferencePointCollection", Scope::kPoint},
    {"Msvm_VirtualSystemReferencePoint", Scope::kMachinePoint},
    {"Cohort_SnapshotFence", Scope::kSnapshot},
    {"Cohort_MemberPause", Scope::kConfiguration},
    {"Msvm_ComputerSystem", Scope::kSystem},
    {"Msvm_VirtualSystemSettingData", Scope::kConfiguration},
    {"Msvm_MemorySettingData", Scope::kConfiguration},
    {"Msvm_ProcessorSettingData", Scope::kConfiguration},
    {"Msvm_StorageAllocationSettingData", Scope::kConfiguration},
    {"Msvm_ResourceAllocationSettingData", Scope::kConfiguration},
    {"Msvm_SerialPortSettingData", Scope::kConfiguration},
    {"Msvm_SyntheticEthernetPortSettingData", Scope::kConfiguration},
    {"Msvm_EthernetPortAllocationSettingData", Scope::kConfiguration},
    {"Msvm_PlannedComputerSystem", Scope::kSystem},
    {"Msvm_VirtualEthernetSwitch", Scope::kEverybody},
    {"Msvm_ShutdownComponent", Scope::kDevice},
    {"Msvm_ConcreteJob", Scope::kJob},
    {"Msvm_CollectionReferencePointExportJob", Scope::kJob},
    {"Msvm_VirtualSystemReferencePointExportJob", Scope::kJob},
    {"Msvm_CollectionManagementService", Scope::kEverybody},
    {"Msvm_CollectionSnapshotService", Scope::kEverybody},
    {"Msvm_CollectionReferencePointService", Scope::kEverybody},
    {"Msvm_VirtualSystemManagementService", Scope::kEverybody},
    {"Msvm_VirtualSystemSnapshotService", Scope::kEverybody},
    {"Msvm_VirtualSystemReferencePointService", Scope::kEverybody},
    {"Cohort_PackageService", Scope::kEverybody},
    {"Win32_ComputerSystem", Scope::kEverybody},
    {"Win32_ComputerSystemProduct", Scope::kEverybody},
    {"Win32_OperatingSystem", Scope::kEverybody},
    {"Win32_Processor", Scope::kEverybody},
    {"CIM_DataFile", Scope::kEverybody},
    {"CIM_ObjectManager", Scope::kEverybody},
    {"CIM_Namespace", Scope::kEverybody},
    {"CIM_RegisteredProfile", Scope::kEverybody},
};

const Row* row_of(std::string_view class_name) {
  const auto* found =
      std::ranges::find_if(kRows, [&](const Row& row) { return cim::same_name(row.class_name, class_name); });
  return found == std::end(kRows) ? nullptr : found;
}

std::string text_of(const cim::ObjectPath& path, std::string_view key) {
  const cim::Value* value = path.key(key);
  const auto* text = value == nullptr ? nullptr : value->get_if<std::string>();
  return text == nullptr ? "" : *text;
}

bool is_named(const Collection& collection, const std::string& name) {
  return collection.name == name || cim::same_name(collection.id.str(), name);
}

}  // namespace

std::string_view role_of(Right right) {
  switch (right) {
    case Right::kNone:
      return "none";
    case Right::kLook:
      return "reader";
    case Right::kOperate:
      return "operator";
    case Right::kAdminister:
      return "administrator";
  }
  return "none";
}

Result<Access> Access::of(const Caller& caller, service::StateStore* state) {
  Access access(caller, state);
  if (state != nullptr && !caller.rights.empty()) COHORT_TRY(access.read_collections());
  return access;
}

Result<void> Access::read_collections() {
  COHORT_ASSIGN(const auto all, state_->collections());
  for (const CollectionRight& each : caller_->rights) {
    for (const Collection& collection : all) {
      if (is_named(collection, each.collection)) give(collection, each.right, all);
    }
    // One that is gone: its snapshots are still its own.
    const auto id = CollectionId::parse(each.collection);
    if (id) collections_[*id] = std::max(collections_[*id], each.right);
  }
  COHORT_ASSIGN(const auto snapshots, state_->snapshots());
  for (const Snapshot& each : snapshots) {
    points_.emplace(each.id.str(), each.collection);
    points_.emplace(public_id(each), each.collection);
  }
  return {};
}

// To it, what is in it, and their machines. Collections have no cycles.
void Access::give(const Collection& collection, Right right, const std::vector<Collection>& all) {
  auto& given = collections_[collection.id];
  given = std::max(given, right);
  for (const MachineMember& machine : collection.machines) {
    auto& over = machines_[machine.id];
    over = std::max(over, right);
  }
  for (const CollectionId& id : collection.collections) {
    const auto inner = std::ranges::find(all, id, &Collection::id);
    if (inner != all.end()) give(*inner, right, all);
  }
}

Right Access::over_collection(const CollectionId& collection) const {
  const auto found = collections_.find(collection);
  return at_least(found == collections_.end() ? Right::kNone : found->second);
}

Right Access::over_point(const std::string& id) const {
  const auto uuid = Uuid::parse(id);
  const auto found = uuid ? points_.find(uuid->str()) : points_.end();
  return found == points_.end() ? caller_->right : over_collection(found->second);
}

Right Access::over_machine(const MachineId& machine) const {
  const auto found = machines_.find(machine);
  return at_least(found == machines_.end() ? Right::kNone : found->second);
}

Right Access::over_configuration(const cim::ObjectPath& path) const {
  const auto key = configuration_key(path);
  if (!key) return caller_->right;
  return key->snapshot ? over_point(key->snapshot->str()) : over_machine(key->machine);
}

// Who asked for a job may follow and cancel it.
Result<Right> Access::over_job(const cim::ObjectPath& path) const {
  const auto id = id_in<JobId>(path, "InstanceID");
  if (!id || state_ == nullptr) return caller_->right;
  COHORT_ASSIGN(const auto job, if_found(state_->job(*id)));
  if (!job) return caller_->right;
  const Right over = job->works_on.collection ? over_collection(*job->works_on.collection) : caller_->right;
  return job->owner == caller_->name ? std::max(over, Right::kOperate) : over;
}

// The host is seen by everybody.
Right Access::over_system(const cim::ObjectPath& path) const {
  const auto machine = id_in<MachineId>(path, "Name");
  return machine ? over_machine(*machine) : at_least(Right::kLook);
}

Result<Right> Access::over(const cim::ObjectPath& path) const {
  const Row* row = row_of(path.class_name);
  if (row == nullptr) return caller_->right;
  switch (row->scope) {
    case Scope::kEverybody:
      return at_least(Right::kLook);
    case Scope::kCollection: {
      const auto id = id_in<CollectionId>(path, "CollectionID");
      return id ? over_collection(*id) : caller_->right;
    }
    case Scope::kPoint:
      return over_point(text_of(path, "CollectionID"));
    case Scope::kSnapshot:
      return over_point(text_of(path, "InstanceID"));
    case Scope::kSystem:
      return over_system(path);
    case Scope::kDevice: {
      const auto machine = id_in<MachineId>(path, "SystemName");
      return machine ? over_machine(*machine) : caller_->right;
    }
    case Scope::kMachinePoint:
    case Scope::kConfiguration:
      return over_configuration(path);
    case Scope::kJob:
      return over_job(path);
  }
  return caller_->right;
}

Result<bool> Access::shows(const cim::ObjectPath& path) const {
  if (sees_all()) return true;
  return over(path).map([](Right right) { return right >= Right::kLook; });
}

Result<bool> Access::shows(const cim::Instance& instance) const {
  if (sees_all()) return true;
  bool has_ends = false;
  for (const cim::NamedValue& property : instance.properties) {
    const cim::ObjectPath* end = property.value.reference();
    if (end == nullptr) continue;
    has_ends = true;
    COHORT_ASSIGN(const bool is_shown, shows(*end));
    if (!is_shown) return false;
  }
  if (has_ends) return true;
  return shows(instance.path);
}

bool Access::knows(std::string_view class_name) { return row_of(class_name) != nullptr; }

bool Access::is_everybodys(std::string_view class_name) {
  const Row* row = row_of(class_name);
  return row != nullptr && row->scope == Scope::kEverybody;
}

}  // namespace cohort::provider
