#include "provider/collection_snapshot_service.h"

#include "provider/export_settings.h"
#include "provider/parameters.h"
#include "provider/snapshot_settings.h"
#include "service/convert_snapshot.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kStandardSnapshot = 1;
constexpr std::uint16_t kRecoverySnapshot = 2;

}  // namespace

CollectionSnapshotService::CollectionSnapshotService(service::Operations& operations, service::BackgroundJobs& jobs,
                                                     service::StateStore& state, const ExportRoots& roots,
                                                     const ServiceSurroundings& surroundings)
    : ServiceProvider("Msvm_CollectionSnapshotService", "Collection Snapshot Service", CodeFamily::kSnapshots,
                      surroundings),
      operations_(operations),
      jobs_(jobs),
      state_(state),
      roots_(roots) {
  offer("CreateSnapshot", Right::kOperate, [this](const MethodCall& call) { return create_snapshot(call); });
  offer("ExportSnapshot", Right::kOperate, [this](const MethodCall& call) { return export_snapshot(call); });
  offer("ConvertToReferencePoint", Right::kOperate,
        [this](const MethodCall& call) { return convert_to_reference_point(call); });
  offer("ApplySnapshot", Right::kAdminister, [this](const MethodCall& call) { return apply_snapshot(call); });
  offer("DestroySnapshot", Right::kOperate, [this](const MethodCall& call) { return destroy_snapshot(call); });
}

Result<Snapshot> CollectionSnapshotService::snapshot_in(const MethodCall& call, std::string_view parameter) {
  COHORT_ASSIGN(const auto id, id_of<SnapshotId>(call, parameter, "CollectionID"));
  COHORT_ASSIGN(Snapshot snapshot, state_.snapshot(id));
  if (is_reference_point(snapshot)) {
    return fail(ErrorCode::kInvalidState, "The snapshot \"{}\" is a reference point now.", snapshot.name);
  }
  if (snapshot.state != SnapshotState::kReady) {
    return fail(ErrorCode::kInvalidState, "The snapshot \"{}\" is {}.", snapshot.name, to_string(snapshot.state));
  }
  return snapshot;
}

Result<cim::MethodResult> CollectionSnapshotService::create_snapshot(const MethodCall& call) {
  COHORT_ASSIGN(const auto id, id_of<CollectionId>(call, "Collection", "CollectionID"));
  COHORT_ASSIGN(const Collection collection, state_.collection(id));
  const auto* type = call.parameter("SnapshotType").get_if<std::uint16_t>();
  if (type == nullptr || (*type != kStandardSnapshot && *type != kRecoverySnapshot)) return returned(kInvalidType);
  COHORT_ASSIGN(const cim::Instance* settings, settings_of(call, "SnapshotSettings"));
  service::TakeSnapshotRequest request;
  request.collection = collection.id.str();
  request.kind = *type == kStandardSnapshot ? SnapshotKind::kStandard : SnapshotKind::kRecovery;
  request.name = setting<std::string>(settings, "ElementName", "");
  COHORT_ASSIGN(request.consistency, consistency_in(settings));
  COHORT_TRY(check_guest_backup_type(settings));
  // With its memory a guest need not be asked to put its disks in order.
  if (request.kind == SnapshotKind::kStandard) request.consistency = ConsistencyWish::kCrash;
  request.ignore_non_snapshottable = setting(settings, "IgnoreNonSnapshottableDisks", false);
  COHORT_ASSIGN(
      const Job job,
      jobs_.start({JobType::kTakeSnapshot, collection.name, call.caller.name, {collection.id, {}}},
                  as_job([=, this](auto& context) { return operations_.take_snapshot.run(request, context); })));
  return started(job);
}

Result<cim::MethodResult> CollectionSnapshotService::export_snapshot(const MethodCall& call) {
  COHORT_ASSIGN(const Snapshot snapshot, snapshot_in(call, "SnapshotCollection"));
  COHORT_ASSIGN(const auto request, export_request_in(call, snapshot, state_, roots_));
  COHORT_ASSIGN(const Job job,
                jobs_.start(order_for(JobType::kExport, snapshot, call), as_job([=, this](auto& context) {
                              return operations_.export_snapshot.run(request, context);
                            })));
  return started(job);
}

Result<cim::MethodResult> CollectionSnapshotService::apply_snapshot(const MethodCall& call) {
  COHORT_ASSIGN(const Snapshot snapshot, snapshot_in(call, "SnapshotCollection"));
  if (snapshot.kind != SnapshotKind::kStandard) {
    return fail(ErrorCode::kUnsupported, "\"{}\" is a recovery snapshot: only standard ones can be applied.",
                snapshot.name);
  }
  service::ApplyRequest request;
  request.snapshot = snapshot.id.str();
  COHORT_ASSIGN(const Job job,
                jobs_.start(order_for(JobType::kApplySnapshot, snapshot, call), as_job([=, this](auto& context) {
                              return operations_.apply_snapshot.run(request, context);
                            })));
  return started(job);
}

Result<cim::MethodResult> CollectionSnapshotService::destroy_snapshot(const MethodCall& call) {
  COHORT_ASSIGN(const Snapshot snapshot, snapshot_in(call, "AffectedSnapshotCollection"));
  service::DeleteSnapshotRequest request;
  request.snapshot = snapshot.id.str();
  COHORT_ASSIGN(const Job job,
                jobs_.start(order_for(JobType::kDeleteSnapshot, snapshot, call), as_job([=, this](auto& context) {
                              return operations_.delete_snapshot.run(request, context);
                            })));
  return started(job);
}

Result<cim::MethodResult> CollectionSnapshotService::convert_to_reference_point(const MethodCall& call) {
  COHORT_ASSIGN(const Snapshot snapshot, snapshot_in(call, "AffectedSnapshotCollection"));
  COHORT_TRY(service::check_convertible(snapshot));
  COHORT_ASSIGN(const Job job,
                jobs_.start(order_for(JobType::kConvert, snapshot, call), as_job([=, this](auto& context) {
                              return service::convert_snapshot(snapshot.id.str(), state_, context);
                            })));
  return started(job);
}

}  // namespace cohort::provider
