#include "provider/affected_job_element.h"

#include <algorithm>

#include "domain/job.h"
#include "provider/concrete_job.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kOtherEffect = 1;
constexpr std::uint16_t kCreated = 5;

bool makes_one(const Job& job) {
  return job.type == JobType::kTakeSnapshot || job.type == JobType::kCreateReferencePoint ||
         job.type == JobType::kConvert;
}

// The snapshot or reference point that the job is about, if it is there.
const Snapshot* element_of(const Job& job, const std::vector<Snapshot>& snapshots) {
  const auto is_made = [&](const Snapshot& each) { return public_id(each) == job.result; };
  const auto is_used = [&](const Snapshot& each) { return !makes_one(job) && public_id(each) == job.works_on.point; };
  auto found = std::ranges::find_if(snapshots, is_made);
  if (found == snapshots.end()) found = std::ranges::find_if(snapshots, is_used);
  return found == snapshots.end() ? nullptr : &*found;
}

const char* service_of(JobType type) {
  switch (type) {
    case JobType::kCreateReferencePoint:
    case JobType::kDeleteReferencePoint:
    case JobType::kExportReferencePoint:
      return "Msvm_CollectionReferencePointService";
    case JobType::kVerify:
    case JobType::kImport:
    case JobType::kTry:
    case JobType::kMergePackage:
    case JobType::kPrune:
      return "Cohort_PackageService";
    default:
      return "Msvm_CollectionSnapshotService";
  }
}

cim::ObjectPath path_of(const Snapshot& snapshot) {
  return is_reference_point(snapshot) ? path_of_reference_point(snapshot.reference_point, snapshot.collection)
                                      : path_of_snapshot(snapshot.id);
}

}  // namespace

Result<std::vector<cim::Instance>> AffectedJobElementProvider::instances() {
  COHORT_ASSIGN(const auto jobs, state_.jobs());
  COHORT_ASSIGN(auto snapshots, state_.snapshots());
  std::erase_if(snapshots, [](const Snapshot& each) { return each.state != SnapshotState::kReady; });
  std::vector<cim::Instance> pairs;
  for (const Job& job : jobs) {
    const Snapshot* element = element_of(job, snapshots);
    if (element == nullptr) continue;
    auto pair = pair_of(class_name(), "AffectedElement", path_of(*element), "AffectingElement", path_of_job(job));
    const bool is_made = makes_one(job);
    pair.set("ElementEffects", cim::Value::array_of(std::vector{is_made ? kCreated : kOtherEffect}));
    // The DMTF's schema wants words for what it has no number for.
    if (!is_made) {
      pair.set("OtherElementEffectsDescriptions", cim::Value::array_of(std::vector<std::string>{caption_of(job.type)}));
    }
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

Result<std::vector<cim::Instance>> OwningJobElementProvider::instances() {
  COHORT_ASSIGN(const auto jobs, state_.jobs());
  std::vector<cim::Instance> pairs;
  for (const Job& job : jobs) {
    pairs.push_back(pair_of(class_name(), "OwningElement", path_of_service(service_of(job.type), host_name_),
                            "OwnedElement", path_of_job(job)));
  }
  return pairs;
}

}  // namespace cohort::provider
