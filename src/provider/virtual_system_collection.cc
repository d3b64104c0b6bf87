#include "provider/virtual_system_collection.h"

#include "provider/found.h"
#include "provider/paths.h"

namespace cohort::provider {

std::string_view CollectionProvider::class_name() const {
  return kind_ == CollectionKind::kMachines ? "Msvm_VirtualSystemCollection" : "Msvm_ManagementCollection";
}

cim::Instance CollectionProvider::instance_of(const Collection& collection) const {
  cim::Instance instance;
  instance.class_name = class_name();
  instance.set("InstanceID", cim::Value(upper(collection.id.str())));
  instance.set("CollectionID", cim::Value(upper(collection.id.str())));
  instance.set("ElementName", cim::Value(collection.name));
  instance.set("Caption", cim::Value("Collection"));
  return instance;
}

Result<std::vector<cim::Instance>> CollectionProvider::instances() {
  COHORT_ASSIGN(const auto collections, state_.collections());
  std::vector<cim::Instance> all;
  for (const Collection& each : collections) {
    if (each.kind == kind_) all.push_back(instance_of(each));
  }
  return all;
}

Result<std::optional<cim::Instance>> CollectionProvider::find(const cim::ObjectPath& path) {
  const auto id = id_in<CollectionId>(path, "CollectionID");
  if (!id) return std::nullopt;
  COHORT_ASSIGN(const auto collection, if_found(state_.collection(*id)));
  if (!collection || collection->kind != kind_) return std::nullopt;
  return instance_of(*collection);
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
