#include "provider/virtual_system_collection.h"

#include "provider/found.h"
#include "provider/last_applied_snapshot.h"
#include "provider/paths.h"
#include "provider/reached_consistency.h"

namespace cohort::provider {
namespace {

// LastApplyConsistencyLevel.
constexpr std::uint16_t kUnknown = 0;
constexpr std::uint16_t kApplication = 1;
constexpr std::uint16_t kGroupCrash = 3;

// All members are of one instant, whatever each of them has reached.
std::uint16_t level_of(const Snapshot& snapshot) {
  return is_application_consistent(snapshot) ? kApplication : kGroupCrash;
}

// Nothing is replicated.
void add_replication(cim::Instance& instance) {
  for (const char* name : {"FailedOverReplicationType", "ReplicationMode", "ReplicationState"}) {
    instance.set(name, cim::Value(std::uint16_t{0}));
  }
}

}  // namespace

std::string_view CollectionProvider::class_name() const {
  return kind_ == CollectionKind::kMachines ? "Msvm_VirtualSystemCollection" : "Msvm_ManagementCollection";
}

Result<void> CollectionProvider::add_last_apply(const Job& apply, cim::Instance& instance) const {
  instance.set("LastApplyTime", cim::Value(cim::Datetime::at(apply.ended.value_or(apply.created))));
  instance.set("LastApplyConsistencyLevel", cim::Value(kUnknown));
  const auto id = SnapshotId::parse(apply.works_on.point);
  if (!id) return {};
  COHORT_ASSIGN(const auto snapshot, if_found(state_.snapshot(*id)));
  if (!snapshot) return {};
  std::vector<std::string> machines;
  for (const MemberSnapshot& member : snapshot->members) machines.push_back(upper(member.machine.str()));
  instance.set("LastApplyVirtualMachineIds", cim::Value::array_of(machines));
  instance.set("LastApplyConsistencyLevel", cim::Value(level_of(*snapshot)));
  return {};
}

Result<cim::Instance> CollectionProvider::instance_of(const Collection& collection,
                                                      const std::map<CollectionId, Job>& applies) const {
  cim::Instance instance;
  instance.class_name = class_name();
  instance.set("InstanceID", cim::Value(upper(collection.id.str())));
  instance.set("CollectionID", cim::Value(upper(collection.id.str())));
  instance.set("ElementName", cim::Value(collection.name));
  instance.set("Caption", cim::Value("Collection"));
  if (kind_ == CollectionKind::kCollections) return instance;
  add_replication(instance);
  const auto apply = applies.find(collection.id);
  if (apply != applies.end()) COHORT_TRY(add_last_apply(apply->second, instance));
  return instance;
}

Result<std::vector<cim::Instance>> CollectionProvider::instances() {
  COHORT_ASSIGN(const auto collections, state_.collections());
  COHORT_ASSIGN(const auto applies, last_applies(state_));
  std::vector<cim::Instance> all;
  for (const Collection& each : collections) {
    if (each.kind != kind_) continue;
    COHORT_ASSIGN(auto one, instance_of(each, applies));
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::optional<cim::Instance>> CollectionProvider::find(const cim::ObjectPath& path) {
  const auto id = id_in<CollectionId>(path, "CollectionID");
  if (!id) return std::nullopt;
  COHORT_ASSIGN(const auto collection, if_found(state_.collection(*id)));
  if (!collection || collection->kind != kind_) return std::nullopt;
  COHORT_ASSIGN(const auto applies, last_applies(state_));
  return instance_of(*collection, applies);
}

Result<void> CollectionProvider::modify(const cim::Instance& changed, const Caller& /*caller*/) {
  const auto id = id_in<CollectionId>(changed.path, "CollectionID");
  if (!id) return fail(ErrorCode::kNotFound, "There is no such collection.");
  // No other property of the class may be written.
  const auto* const name = changed.at("ElementName").get_if<std::string>();
  if (name == nullptr) return fail(ErrorCode::kInvalidArgument, "A collection has a name.");
  COHORT_TRY(collections_.rename(id->str(), *name));
  return {};
}

}  // namespace cohort::provider
