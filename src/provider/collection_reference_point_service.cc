#include "provider/collection_reference_point_service.h"

#include <algorithm>

#include "provider/export_settings.h"
#include "provider/parameters.h"
#include "provider/reference_point_collection.h"
#include "provider/snapshot_settings.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kLogBased = 1;
constexpr std::uint16_t kRctBased = 2;

}  // namespace

CollectionReferencePointService::CollectionReferencePointService(service::Operations& operations,
                                                                 service::BackgroundJobs& jobs,
                                                                 service::StateStore& state, const ExportRoots& roots,
                                                                 const ServiceSurroundings& surroundings)
    : ServiceProvider("Msvm_CollectionReferencePointService", "Collection Reference Point Service",
                      CodeFamily::kSnapshots, surroundings),
      operations_(operations),
      jobs_(jobs),
      state_(state),
      roots_(roots) {
  offer("CreateReferencePoint", Right::kOperate,
        [this](const MethodCall& call) { return create_reference_point(call); });
  offer("ExportReferencePoint", Right::kOperate,
        [this](const MethodCall& call) { return export_reference_point(call); });
  offer("DestroyReferencePoint", Right::kOperate,
        [this](const MethodCall& call) { return destroy_reference_point(call); });
}

Result<Snapshot> CollectionReferencePointService::point_in(const MethodCall& call, std::string_view parameter) {
  COHORT_ASSIGN(const auto id, id_of<ReferencePointId>(call, parameter, "CollectionID"));
  COHORT_ASSIGN(const auto points, ready_reference_points(state_));
  const auto found = std::ranges::find(points, id, &Snapshot::reference_point);
  if (found == points.end()) return fail(ErrorCode::kNotFound, "There is no reference point {}.", id.str());
  return *found;
}

Result<cim::MethodResult> CollectionReferencePointService::create_reference_point(const MethodCall& call) {
  COHORT_ASSIGN(const auto id, id_of<CollectionId>(call, "Collection", "CollectionID"));
  COHORT_ASSIGN(const Collection collection, state_.collection(id));
  const auto* type = call.parameter("ReferencePointType").get_if<std::uint16_t>();
  if (type != nullptr && *type == kLogBased) {
    return fail(ErrorCode::kUnsupported, "Reference points with a log are not supported; type 2 is.");
  }
  if (type == nullptr || *type != kRctBased) return returned(kInvalidType);
  COHORT_ASSIGN(const cim::Instance* settings, settings_of(call, "ReferencePointSettings"));
  service::TakeSnapshotRequest request;
  request.collection = collection.id.str();
  request.kind = SnapshotKind::kReferencePoint;
  request.name = setting<std::string>(settings, "ElementName", "");
  COHORT_ASSIGN(request.consistency, consistency_in(settings));
  COHORT_ASSIGN(const Job job,
                jobs_.start({service::job_type_of(request), collection.name, call.caller.name, {collection.id, {}}},
                            as_job([=, this](service::JobContext& context) {
                              return operations_.take_snapshot.run(request, context);
                            })));
  return started(job);
}

Result<cim::MethodResult> CollectionReferencePointService::export_reference_point(const MethodCall& call) {
  COHORT_ASSIGN(const Snapshot point, point_in(call, "ReferencePointCollection"));
  COHORT_ASSIGN(const auto request, export_request_in(call, point, state_, roots_));
  COHORT_ASSIGN(const Job job, jobs_.start(order_for(service::job_type_of(request), point, call),
                                           as_job([=, this](service::JobContext& context) {
                                             return operations_.export_snapshot.run(request, context);
                                           })));
  return started(job);
}

Result<cim::MethodResult> CollectionReferencePointService::destroy_reference_point(const MethodCall& call) {
  COHORT_ASSIGN(const Snapshot point, point_in(call, "AffectedReferencePointCollection"));
  service::DeleteSnapshotRequest request;
  request.snapshot = public_id(point);
  request.is_reference_point = true;
  COHORT_ASSIGN(const Job job, jobs_.start(order_for(service::job_type_of(request), point, call),
                                           as_job([=, this](service::JobContext& context) {
                                             return operations_.delete_snapshot.run(request, context);
                                           })));
  return started(job);
}

}  // namespace cohort::provider
