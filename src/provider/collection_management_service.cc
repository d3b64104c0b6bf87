#include "provider/collection_management_service.h"

#include "provider/found.h"
#include "provider/parameters.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kOfMachines = 0;
constexpr std::uint16_t kOfCollections = 1;

Result<CollectionKind> kind_of(const MethodCall& call) {
  const auto* type = call.parameter("Type").get_if<std::uint16_t>();
  if (type == nullptr || *type == kOfMachines) return CollectionKind::kMachines;
  if (*type == kOfCollections) return CollectionKind::kCollections;
  return fail(ErrorCode::kInvalidArgument, "Type is 0 (of machines) or 1 (of collections), and not {}.", *type);
}

Result<CollectionId> collection_in(const MethodCall& call) {
  return id_of<CollectionId>(call, "Collection", "CollectionID");
}

// The UUID of the machine or collection that a path names.
Result<std::string> member_id(const cim::ObjectPath& path) {
  if (path.key("CollectionID") != nullptr) {
    COHORT_ASSIGN(const auto id, id_of<CollectionId>(path, "CollectionID"));
    return id.str();
  }
  COHORT_ASSIGN(const auto id, id_of<MachineId>(path, "Name"));
  return id.str();
}

}  // namespace

CollectionManagementService::CollectionManagementService(service::Collections& collections,
                                                         const ServiceSurroundings& surroundings)
    : ServiceProvider("Msvm_CollectionManagementService", "Collection Management Service", CodeFamily::kManagement,
                      surroundings),
      collections_(collections) {
  offer_change("DefineCollection", &CollectionManagementService::define_collection);
  offer_change("RenameCollection", &CollectionManagementService::rename_collection);
  offer_change("DestroyCollection", &CollectionManagementService::destroy_collection);
  offer_change("AddMember", &CollectionManagementService::add_member);
  offer_change("RemoveMember", &CollectionManagementService::remove_member);
  offer_change("RemoveMemberById", &CollectionManagementService::remove_member_by_id);
}

void CollectionManagementService::offer_change(const char* method, Change change) {
  offer(method, Right::kAdminister, [this, change](const MethodCall& call) { return (this->*change)(call); });
}

Result<cim::MethodResult> CollectionManagementService::define_collection(const MethodCall& call) {
  COHORT_ASSIGN(const std::string name, text_of(call, "Name"));
  COHORT_ASSIGN(const CollectionKind kind, kind_of(call));
  std::optional<CollectionId> id;
  if (const auto* given = call.parameter("Id").get_if<std::string>(); given != nullptr && !given->empty()) {
    COHORT_ASSIGN(id, CollectionId::parse(*given));
  }
  COHORT_ASSIGN(const Collection made, collections_.create(name, kind, {}, id));
  return returned(kNoError, {{"DefinedCollection", cim::Value(path_of_collection(made.id, kind))}});
}

Result<cim::MethodResult> CollectionManagementService::rename_collection(const MethodCall& call) {
  COHORT_ASSIGN(const CollectionId id, collection_in(call));
  COHORT_ASSIGN(const std::string name, text_of(call, "NewName"));
  COHORT_TRY(collections_.rename(id.str(), name));
  return returned(kNoError);
}

Result<cim::MethodResult> CollectionManagementService::destroy_collection(const MethodCall& call) {
  COHORT_ASSIGN(const CollectionId id, collection_in(call));
  COHORT_TRY(collections_.remove(id.str()));
  return returned(kNoError);
}

Result<cim::MethodResult> CollectionManagementService::add_member(const MethodCall& call) {
  COHORT_ASSIGN(const CollectionId id, collection_in(call));
  COHORT_ASSIGN(const cim::ObjectPath path, reference_of(call, "Member"));
  COHORT_ASSIGN(const std::string member, member_id(path));
  COHORT_TRY(collections_.add_members(id.str(), {member}));
  return returned(kNoError);
}

Result<cim::MethodResult> CollectionManagementService::remove_member(const MethodCall& call) {
  COHORT_ASSIGN(const CollectionId id, collection_in(call));
  COHORT_ASSIGN(const cim::ObjectPath path, reference_of(call, "Member"));
  return remove(path, id);
}

Result<cim::MethodResult> CollectionManagementService::remove_member_by_id(const MethodCall& call) {
  COHORT_ASSIGN(const std::string text, text_of(call, "CollectionId"));
  COHORT_ASSIGN(const CollectionId id, CollectionId::parse(text));
  // No reference, so that the broker has not looked at it.
  COHORT_ASSIGN(const Right over, call.access.over(path_of_collection(id, CollectionKind::kMachines)));
  if (over < Right::kAdminister) {
    return fail(ErrorCode::kPermission, "It needs the role \"administrator\" for the collection, or for all.");
  }
  COHORT_ASSIGN(const cim::ObjectPath path, reference_of(call, "Member"));
  auto removed = remove(path, id);
  if (removed || removed.error().code != ErrorCode::kNotFound) return removed;
  // Not so by the other method: a collection that is gone has no members, which is what was wanted.
  COHORT_ASSIGN(const auto collection, if_found(collections_.show(id.str())));
  if (collection) return removed;
  return returned(kNoError);
}

// The member need not exist any more.
Result<cim::MethodResult> CollectionManagementService::remove(const cim::ObjectPath& member, const CollectionId& from) {
  COHORT_ASSIGN(const std::string id, member_id(member));
  COHORT_TRY(collections_.remove_members(from.str(), {id}));
  return returned(kNoError);
}

}  // namespace cohort::provider
